"""Under moto with its authentication switched on: what is enough, and what is refused."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from fleet_control.deploy_jobs import EndState, begins
from fleet_control.seed import BOOT, BOOT_TAG
from sandbox.principal import REGION
from sandbox.seed import BOOTSTRAP_BUCKET, IMAGE_BUCKET
from tests.engine.site import NEW, ONE, TWO, EngineSite
from workflows.fleet_deploy.health import SystemTime
from workflows.image_build import pruning, registration, snapshot
from workflows.image_build.nix_image import NixImage

ROLE = "fleet-deploy"
IMAGE_ROLE = "image-build"


@contextmanager
def authenticating(site: EngineSite) -> Iterator[None]:
    """Every call is held against the policies of who signed it."""
    _reset_auth(site, "0")
    try:
        yield
    finally:
        _reset_auth(site, "inf")


def _reset_auth(site: EngineSite, calls_without: str) -> None:
    request = urllib.request.Request(  # noqa: S310  (our moto)
        f"{site.url}/moto-api/reset-auth",
        calls_without.encode(),
        {"Content-Type": "text/plain"},
        method="POST",
    )
    with urllib.request.urlopen(request):  # noqa: S310  (the same)
        pass


@contextmanager
def widened(site: EngineSite, role: str = ROLE) -> Iterator[None]:
    """What the role may, on resources named `*`, S3's aside: moto knows no others, and what is
    denied on some would be denied on all."""
    iam = site.client("iam")
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    kept = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    statements = [_widened(one) for one in kept["Statement"] if one["Effect"] == "Allow"]
    wide = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=wide)
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(kept))
        iam.close()


def _widened(statement: Mapping[str, Any]) -> dict[str, Any]:
    actions = statement["Action"]
    first = actions if isinstance(actions, str) else actions[0]
    if first.startswith("s3:"):
        return dict(statement)
    kept = {key: one for key, one in statement.items() if key not in ("NotResource", "Condition")}
    return {**kept, "Resource": "*"}


def session(site: EngineSite, role: str) -> dict[str, str]:
    """A session of the role, as variables."""
    iam, sts = site.client("iam"), site.client("sts")
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    iam.close()
    sts.close()
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


def user_key(site: EngineSite, name: str) -> dict[str, str]:
    iam = site.client("iam")
    made = iam.create_access_key(UserName=name)["AccessKey"]
    iam.close()
    return {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
    }


def client_of(site: EngineSite, keys: Mapping[str, str], service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]  # of no service in particular
        endpoint_url=site.url,
        region_name=REGION,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys.get("AWS_SESSION_TOKEN"),
    )


def refusal(
    site: EngineSite, keys: Mapping[str, str], service: str, call: str, **given: Any
) -> str:
    """The error's code, or nothing where the call was let through."""
    client = client_of(site, keys, service)
    try:
        getattr(client, call)(**given)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    finally:
        client.close()
    return ""


def test_a_host_that_may_not_be_terminated_is_told_to_be_where_it_was(site: EngineSite) -> None:
    """AWS's own sentence, without what OpenTofu and its provider wrap it in.

    The provider would end the protection first, which the role may not.
    """
    before = site.settles()
    machine = before[TWO][0]
    protect = site.runner.ec2.modify_instance_attribute
    protect(InstanceId=machine, DisableApiTermination={"Value": True})
    with widened(site):
        keys = session(site, ROLE)
        with authenticating(site):
            code = site.deploys(TARGET=TWO, **keys)
    protect(InstanceId=machine, DisableApiTermination={"Value": False})

    assert (code, site.runner.hosts()) == (1, before)
    doing = f"{begins(TWO, EndState.UNMOVED)}OpenTofu's apply failed: terminating EC2 Instance"
    why = f"OperationNotPermitted: The instance '{machine}' may not be terminated."
    assert f"{doing} ({machine}): {why}" in site.runner.summary


def test_the_deploy_roles_rights_suffice_for_a_whole_deploy(site: EngineSite) -> None:
    before = site.settles()
    with widened(site):
        role = session(site, ROLE)
        with authenticating(site):
            code = site.deploys(TARGET=TWO, **role)
            refused = refusal(site, role, "iam", "create_user", UserName="mallory")
    after = site.runner.hosts()

    assert code == 0, site.runner.summary
    assert (after[TWO][0] != before[TWO][0], after[TWO][1]) == (True, NEW)
    assert refused == "AccessDenied"


def test_they_suffice_to_make_a_host_and_its_identity_and_to_remove_both(site: EngineSite) -> None:
    site.settles()
    with widened(site):
        role = session(site, ROLE)
        site.registers(ONE, "clawdinator-5")
        with authenticating(site):
            code = site.deploys(TARGET="all", **role)
    after = site.runner.hosts()

    assert code == 0, site.runner.summary
    assert {ONE, "clawdinator-5"} == set(after)


def test_the_image_roles_rights_suffice_for_all_but_the_import(
    site: EngineSite, tmp_path: Path
) -> None:
    (tmp_path / "disk.vhd").write_bytes(b"a disk")
    built = NixImage(tmp_path / "disk.vhd", "legacy-bios", "x86_64-linux")
    with closing(site.client("ec2")) as ec2:
        volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)["VolumeId"]
        imported = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    with widened(site, IMAGE_ROLE):
        role = session(site, IMAGE_ROLE)
        with (
            closing(client_of(site, role, "ec2")) as ec2,
            closing(client_of(site, role, "s3")) as s3,
        ):
            with authenticating(site):
                key = snapshot.upload(s3, IMAGE_BUCKET, "disk", built.disk)
                snapshot.mark(ec2, imported, "c0ffee")
                s3.delete_object(Bucket=IMAGE_BUCKET, Key=key)
                image = registration.register(ec2, imported, built, "ours", "c0ffee")
                snapshot.mark(ec2, image, "c0ffee")  # which moto does not do at its birth
                ec2.create_tags(Resources=[image], Tags=[{"Key": BOOT_TAG, "Value": BOOT}])
                registration.wait_available(ec2, image, SystemTime())
                registration.publish(ec2, image)
                found = registration.of_commit(ec2, "c0ffee")
            with closing(site.client("ec2")) as owner:  # left by a dead run: it goes before others
                owner.delete_tags(Resources=[image], Tags=[{"Key": registration.TAG}])
            with authenticating(site):
                gone = list(pruning.prune(ec2))
                refused = refusal(site, role, "s3", "get_object", Bucket=BOOTSTRAP_BUCKET, Key="x")

    assert found == image
    assert set(gone) == {image, imported}
    assert refused == "AccessDenied"


def test_a_host_reads_its_own_bundle_and_no_neighbours(site: EngineSite) -> None:
    site.settles()
    s3 = site.client("s3")
    for id_ in (ONE, TWO):
        s3.put_object(Bucket=BOOTSTRAP_BUCKET, Key=f"bootstrap/{id_}/bundle", Body=b"x")
    s3.close()
    host = session(site, f"{TWO}-host")
    with authenticating(site):
        own, neighbours, written = (
            refusal(site, host, "s3", call, Bucket=BOOTSTRAP_BUCKET, Key=f"bootstrap/{id_}/bundle")
            for call, id_ in (("get_object", TWO), ("get_object", ONE), ("put_object", TWO))
        )

    assert (own, neighbours, written) == ("", "AccessDenied", "AccessDenied")


@pytest.mark.parametrize("role", ["agent", "chat"])
def test_an_agents_and_a_chats_key_see_hosts_and_nothing_else(site: EngineSite, role: str) -> None:
    key = user_key(site, f"{TWO}-{role}")
    with authenticating(site):
        seen = [
            refusal(site, key, "ec2", call)
            for call in ("describe_instances", "describe_instance_status", "describe_images")
        ]
        refused = [
            refusal(site, key, "ec2", "terminate_instances", InstanceIds=["i-0123456789abcdef0"]),
            refusal(site, key, "ec2", "describe_volumes"),
            refusal(site, key, "iam", "list_users"),
            refusal(site, key, "s3", "list_buckets"),
            refusal(site, key, "ssm", "get_parameter", Name="/clawdinator/control-token"),
            refusal(site, key, "dynamodb", "list_tables"),
        ]

    assert seen == ["", "", ""]
    # AWS's words for it, and what is left of one where moto sends no body. A call that was let
    # through would not find what it names.
    assert set(refused) <= {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
