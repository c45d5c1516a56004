"""A deploy of one id, with the real engine: that host, and no other."""

import hashlib
import re
from base64 import b64decode
from pathlib import Path

import pytest

from fleet_control.seed import key
from sandbox.tofu_commands import URL
from tests.engine.site import FOUR, NEW, OLD, OLDEST, ONE, ROOT, THREE, TWO, EngineSite
from tests.workflows import git

TEMPLATE = ROOT / "tofu/fleet/user-data.sh.tftpl"


def test_the_first_apply_creates_the_fleet_and_the_second_changes_nothing(site: EngineSite) -> None:
    site.settles()

    assert {id_: image for id_, (_, image) in site.first.items()} == {
        ONE: OLD,
        TWO: OLD,
        THREE: OLD,
    }
    assert not [root for root in ("state", "control", "fleet") if site.differs(root)]


def test_a_host_gets_the_user_data_that_is_checked(site: EngineSite) -> None:
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


def test_a_deploy_brings_what_was_merged_and_a_rollback_takes_it_back(site: EngineSite) -> None:
    before = site.settles()
    first = git.run(site.account.folder, "log", "-1", "--format=%H", "--", "nix").strip()
    second, third = (merged(site, "nix/changes.txt", text) for text in ("greet", "wave"))
    for commit, image in ((first, OLDEST), (second, OLD), (third, NEW)):
        site.runner.builds(commit, image)
    merged(site, "docs.md", "no host is built from it")
    was = before[TWO][1]

    for asked, image, revision in (
        ({}, NEW, third),
        ({"AMI_OVERRIDE": OLD}, OLD, second),
        ({"REVISION": first[:12]}, OLDEST, first),
    ):
        hosts = site.runner.hosts()
        assert site.deploys(TARGET=TWO, **asked) == 0
        after = site.runner.hosts()

        assert before | {TWO: after[TWO]} == after
        assert (after[TWO][0] != hosts[TWO][0], after[TWO][1]) == (True, image)
        assert site.revisions()[TWO] == revision
        assert f"Revision `{revision[:7]}`, " in site.runner.summary
        jobs = site.runner.github.jobs[site.runner.github.runs[0]["id"]]
        assert f"{TWO}: {was} -> {image} @{revision[:7]}" in [job["name"] for job in jobs]
        was = image


def merged(site: EngineSite, path: str, text: str) -> str:
    """The commit by which this is in that file."""
    (site.account.folder / path).write_text(text)
    git.run(site.account.folder, "add", path)
    git.run(site.account.folder, "commit", "--quiet", "--allow-empty", "-m", text)
    return site.runner.commit


def test_a_new_entry_is_created_and_one_that_left_is_left_alone_and_named(
    site: EngineSite, capfd: pytest.CaptureFixture[str]
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


def test_an_unknown_id_never_reaches_the_engine(site: EngineSite, tmp_path: Path) -> None:
    site.registers(ONE, TWO, THREE)
    calls = tmp_path / "calls"
    counting = tmp_path / "tofu"
    counting.write_text(f"#!/bin/sh\necho called >> {calls}\nexit 1\n")
    counting.chmod(0o755)

    assert site.deploys(TARGET="clawdinator-7", TOFU=str(counting)) == 1
    assert "unknown_target" in site.runner.summary
    assert not calls.exists()


def test_the_state_is_ciphertext_and_holds_no_secret(site: EngineSite) -> None:
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


def test_neither_secret_is_in_a_state_even_decrypted(site: EngineSite) -> None:
    states = site.account.ask("tofu -chdir=tofu/control state pull")
    states += (site.account.folder / "tofu/state/terraform.tfstate").read_text()

    assert re.search(r'"name": ?"/clawdinator/control-token"', states)
    assert "the-control-token" not in states
    assert "the-github-token" not in states
