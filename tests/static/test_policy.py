"""What no configuration under tofu/ may be, whatever else changes."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.static.configuration import ROOT, ROOTS, as_list, load, statements

# AWS limits these to no resource, or the resource is not known beforehand.
NAMELESS = {
    "ec2:Describe*",
    "ec2:DescribeImages",
    "ec2:DescribeImportSnapshotTasks",
    "ec2:DescribeInstanceCreditSpecifications",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSnapshots",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
    "ec2:DescribeVolumes",
    "ec2:DescribeVpcs",
    "servicequotas:GetServiceQuota",
    "ssm:GetCommandInvocation",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
}

Blocks = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module", params=ROOTS)
def blocks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Blocks:
    return load(request.param, tmp_path_factory.mktemp("variables"))


def test_a_resource_that_can_be_named_is(blocks: Blocks) -> None:
    for where, statement in statements(blocks):
        if "*" in as_list(statement.get("Resource")):
            assert set(as_list(statement.get("Action"))) <= NAMELESS, (where, statement)


@pytest.fixture(scope="module")
def written() -> str:
    """All of tofu/, as it is written."""
    files = [file for end in ("tf", "tofu") for file in (ROOT / "tofu").rglob(f"*.{end}")]
    return "".join(file.read_text() for file in files)


def test_no_arn_is_of_every_account(written: str) -> None:
    """As written: evaluated without an account, most of them have no value."""
    assert re.search(r'host_roles += "arn:', written)
    assert not re.findall(r"arn:[^:\s]*:[^:\s]*:[^:\s]*:\*:.*", written)


def test_the_roots_pin_one_provider() -> None:
    """`sandbox.engine` looks for it in mirrors, by this form."""
    files = [(ROOT / "tofu" / root / "main.tf").read_text() for root in ROOTS]

    assert len({tuple(re.findall(r'version *= *"= ([0-9.]+)"', one)) for one in files}) == 1
    assert re.search(r'version *= *"= [0-9.]+"', files[0])


def test_the_engine_runs_no_program_and_asks_none(written: str) -> None:
    assert 'resource "aws_instance"' in written
    assert not re.findall(r'^\s*provisioner\s|^data\s+"(?:external|http)"', written, re.MULTILINE)


def test_logs_are_not_kept_for_ever(blocks: Blocks) -> None:
    for one in blocks.get("aws_cloudwatch_log_group", []):
        assert one["retention_in_days"] > 0


def test_no_action_is_a_whole_service_of_consequence(blocks: Blocks) -> None:
    wide = {
        (where, action)
        for where, statement in statements(blocks)
        for action in as_list(statement.get("Action"))
        if action.endswith("*")
    }

    assert wide <= {("data.aws_iam_policy_document.vmimport", "ec2:Describe*")}


def test_the_boundary_allows_a_host_what_hosts_are_given_and_no_more(tmp_path: Path) -> None:
    allowed = {root: list(statements(load(root, tmp_path))) for root in ("control", "fleet")}
    boundary = [one for where, one in allowed["control"] if where.endswith("host_boundary")]
    given = [one for _, one in allowed["fleet"]]

    assert _actions(boundary) == _actions(given)
    readable = [f"arn:aws:s3:::bootstrap/{folder}/*" for folder in ("bootstrap", "seeds")]
    assert _reading(boundary) == readable


def _actions(listed: list[dict[str, Any]]) -> set[str]:
    return {action for one in listed for action in as_list(one["Action"])}


def _reading(listed: list[dict[str, Any]]) -> list[str]:
    reading = [one for one in listed if "s3:GetObject" in as_list(one["Action"])]
    return [resource for one in reading for resource in as_list(one["Resource"])]


def test_no_policy_allows_by_exclusion(blocks: Blocks) -> None:
    excluding = {"NotAction", "NotPrincipal", "NotResource"}

    assert not [(where, one) for where, one in statements(blocks) if excluding & one.keys()]


def test_no_bucket_is_public_and_each_is_versioned_and_encrypted(blocks: Blocks) -> None:
    buckets = len(blocks.get("aws_s3_bucket", []))
    for beside in ("public_access_block", "versioning", "server_side_encryption_configuration"):
        listed = blocks.get(f"aws_s3_bucket_{beside}", [])
        assert buckets == len({one["bucket"] for one in listed})
    for one in blocks.get("aws_s3_bucket_public_access_block", []):
        names = ("block_public_acls", "block_public_policy", "ignore_public_acls")
        assert all(one[name] is True for name in (*names, "restrict_public_buckets"))


def test_nothing_listens_to_the_world(blocks: Blocks) -> None:
    groups = blocks.get("aws_security_group", [])

    assert not [one for one in groups if as_list(one.get("ingress"))]
    assert not {"aws_security_group_rule", "aws_vpc_security_group_ingress_rule"} & blocks.keys()


def test_hosts_answer_metadata_to_sessions_only_and_their_disks_are_encrypted(
    blocks: Blocks,
) -> None:
    for host in blocks.get("aws_instance", []):
        assert host["metadata_options"]["http_tokens"] == "required"
        assert host["metadata_options"]["http_put_response_hop_limit"] == 1
        assert host["root_block_device"]["encrypted"] is True
        assert host["root_block_device"]["volume_type"] == "gp3"


def test_the_function_url_asks_who_signs(blocks: Blocks) -> None:
    for one in blocks.get("aws_lambda_function_url", []):
        assert one["authorization_type"] == "AWS_IAM"


def test_no_secret_is_in_a_functions_environment(blocks: Blocks) -> None:
    for one in blocks.get("aws_lambda_function", []):
        names = set(one["environment"]["variables"])

        assert not {"CONTROL_API_TOKEN", "GITHUB_TOKEN"} & names


def test_every_policy_was_read(tmp_path: Path) -> None:
    """A policy that does not evaluate would pass all of this unread."""
    read = {root: {where for where, _ in statements(load(root, tmp_path))} for root in ROOTS}

    assert read["state"] == set()
    assert len(read["control"]) == 10
    assert len(read["fleet"]) == 2
