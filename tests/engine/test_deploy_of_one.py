"""A deploy of one id, with the real engine: that host, and no other."""

import hashlib
import re
from base64 import b64decode
from pathlib import Path

import pytest

from fleet_control.host_job import Left, begins
from fleet_control.seed import key
from sandbox.account import URL
from tests.engine.site import FOUR, NEW, OLD, ONE, ROOT, THREE, TWO, Site
from tests.workflows import git

TEMPLATE = ROOT / "tofu/fleet/user-data.sh.tftpl"


def test_the_first_apply_creates_the_fleet_and_the_second_changes_nothing(site: Site) -> None:
    site.settles()

    assert {id_: image for id_, (_, image) in site.first.items()} == {
        ONE: OLD,
        TWO: OLD,
        THREE: OLD,
    }
    assert not [root for root in ("state", "control", "fleet") if site.differs(root)]


def test_a_host_gets_the_user_data_that_is_checked(site: Site) -> None:
    machine = site.settles()[ONE][0]
    answer = site.runner.ec2.describe_instance_attribute(InstanceId=machine, Attribute="userData")
    revision = site.revisions()[ONE]
    seed = site.runner.s3.get_object(Bucket=site.runner.bucket, Key=key(revision))["Body"].read()
    expected = TEMPLATE.read_text()
    for name, value in {
        "instance": ONE,
        "host": ONE,
        "region": "eu-central-1",
        "bootstrap_prefix": f"bootstrap/{ONE}",
        "control_api_url": site.account.ask(URL),
        "revision": revision,
        "seed_sha256": hashlib.sha256(seed).hexdigest(),
    }.items():
        expected = expected.replace(f"${{{name}}}", value)

    assert b64decode(answer["UserData"]["Value"]).decode() == expected


def test_a_newer_image_moves_that_host_and_leaves_the_others(site: Site) -> None:
    before = site.settles()

    assert site.deploys(TARGET=TWO) == 0
    after = site.runner.hosts()

    assert before | {TWO: after[TWO]} == after
    changed = git.run(site.account.folder, "log", "-1", "--format=%H", "--", "nix").strip()
    assert site.revisions()[TWO] == changed
    assert after[TWO][0] != before[TWO][0]
    assert after[TWO][1] == NEW


def test_a_host_that_may_not_be_terminated_is_told_to_be_where_it_was(site: Site) -> None:
    """AWS's own sentence, without what OpenTofu and its provider wrap it in."""
    before = site.settles()
    machine = before[TWO][0]
    protect = site.runner.ec2.modify_instance_attribute
    protect(InstanceId=machine, DisableApiTermination={"Value": True})

    assert site.deploys(TARGET=TWO) == 1
    assert before == site.runner.hosts()
    doing = f"{begins(TWO, Left.UNMOVED)}OpenTofu's apply failed: terminating EC2 Instance"
    why = f"OperationNotPermitted: The instance '{machine}' may not be terminated."
    assert f"{doing} ({machine}): {why}" in site.runner.summary

    protect(InstanceId=machine, DisableApiTermination={"Value": False})


def test_rollback_is_a_deploy_with_an_older_image(site: Site) -> None:
    before = site.settles()

    assert site.deploys(TARGET=TWO, AMI_OVERRIDE=OLD) == 0
    after = site.runner.hosts()

    assert before | {TWO: after[TWO]} == after
    assert (after[TWO][0] != before[TWO][0], after[TWO][1]) == (True, OLD)


def test_a_new_entry_is_created_and_one_that_left_is_left_alone_and_named(
    site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    before = site.settles()
    site.registers(ONE, TWO, FOUR, clawdinator_1="t3.xlarge", clawdinator_2="t3.xlarge")

    assert site.deploys(TARGET=TWO) == 0
    after = site.runner.hosts()

    assert before | {TWO: after[TWO], FOUR: after[FOUR]} == after
    assert after[FOUR][1] == NEW
    types = {ONE: "t3.large", TWO: "t3.xlarge", THREE: "t3.large", FOUR: "t3.large"}
    assert types == site.types()
    assert f"{THREE}, not in the registry" in site.runner.summary
    assert f"{THREE}, not in the registry" in capfd.readouterr().out


def test_an_unknown_id_never_reaches_the_engine(site: Site, tmp_path: Path) -> None:
    site.registers(ONE, TWO, THREE)
    calls = tmp_path / "calls"
    counting = tmp_path / "tofu"
    counting.write_text(f"#!/bin/sh\necho called >> {calls}\nexit 1\n")
    counting.chmod(0o755)

    assert site.deploys(TARGET="clawdinator-7", TOFU=str(counting)) == 1
    assert "unknown_target" in site.runner.summary
    assert not calls.exists()


def test_the_state_is_ciphertext_and_holds_no_secret(site: Site) -> None:
    if not site.engine.is_tofu:
        pytest.skip("terraform does not encrypt states")
    s3 = site.client("s3")
    states = {
        one["Key"]: s3.get_object(Bucket="clawdinator-tofu-state", Key=one["Key"])["Body"].read()
        for one in s3.list_objects_v2(Bucket="clawdinator-tofu-state")["Contents"]
    }
    s3.close()

    assert set(states) == {"control.tfstate", "fleet.tfstate"}
    for text in states.values():
        assert b'"encrypted_data"' in text
        assert b"aws_instance" not in text


def test_neither_secret_is_in_a_state_even_decrypted(site: Site) -> None:
    states = site.account.ask("tofu -chdir=tofu/control state pull")
    states += (site.account.folder / "tofu/state/terraform.tfstate").read_text()

    assert re.search(r'"name": ?"/clawdinator/control-token"', states)
    assert "the-control-token" not in states
    assert "the-github-token" not in states
