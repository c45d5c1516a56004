"""The making of an image, at the wire of EC2's and S3's clients."""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from fleet_control.archive import File
from fleet_control.ledger import Entry
from fleet_control.run_title import TITLE_FIELDS
from fleet_control.seed import key
from tests.workflows import git
from tests.workflows.fleets import registry_text
from tests.workflows.hasty_time import HastyTime
from tests.workflows.loopback import TOKEN, raw_run, serving
from workflows.fleet_deploy.github import GitHubRuns
from workflows.fleet_deploy.runner import ThisRun
from workflows.fleet_deploy.seed_upload import Seed
from workflows.fleet_deploy.stopped import Stopped
from workflows.image_build import nix_image, pruning, registration, snapshot
from workflows.image_build.__main__ import Maker, main
from workflows.image_build.nix_image import NixImage
from workflows.image_build.pruning import BuiltImage, StoredSeed, superfluous

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "clawdinator-20261124-120000-0123456789ab"
NOON = 1_795_521_600.0
IMAGE, TASK, SNAPSHOT = "ami-0aaaaaaaaaaaaaaaa", "import-snap-1", "snap-0bbbbbbbbbbbbbbbb"


class StubbedClients:
    """What is expected of each client, in order, and what it is answered."""

    def __init__(self, ec2: Any, s3: Any) -> None:
        self.ec2, self.s3 = ec2, s3
        self.of_ec2, self.of_s3 = Stubber(ec2), Stubber(s3)

    def expect(self, operation: str, answer: dict[str, Any], expected: Any = None) -> None:
        self.of_ec2.add_response(operation, answer, expected)


@contextmanager
def _wire() -> Iterator[StubbedClients]:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-central-1"}
    ec2, s3 = boto3.client("ec2", **keys), boto3.client("s3", **keys)  # type: ignore[call-overload]  # one dict for both
    with closing(ec2), closing(s3):
        wire = StubbedClients(ec2, s3)
        with wire.of_ec2, wire.of_s3:
            yield wire


@pytest.fixture
def wire() -> Iterator[StubbedClients]:
    with _wire() as one:
        yield one


@pytest.fixture
def built(tmp_path: Path) -> NixImage:
    (tmp_path / "disk.vhd").write_bytes(b"a disk")
    return NixImage(tmp_path / "disk.vhd", "legacy-bios", "x86_64-linux")


def maker(wire: StubbedClients, build: Callable[[], NixImage], *, deploying: bool = False) -> Maker:
    buckets = ("images", "bootstrap")
    return Maker(wire.ec2, wire.s3, HastyTime(NOON), *buckets, COMMIT, build, lambda: deploying)


def task(status: str, **more: str) -> dict[str, Any]:
    return {"ImportSnapshotTasks": [{"SnapshotTaskDetail": {"Status": status, **more}}]}


def expect_import(wire: StubbedClients) -> None:
    key = f"image-build/{NAME}.vhd"
    wire.of_s3.add_response(
        "put_object", {},
        {"Bucket": "images", "Key": key, "Body": ANY, "ChecksumAlgorithm": ANY},
    )  # fmt: skip
    wire.expect(
        "import_snapshot", {"ImportTaskId": TASK},
        {
            "ClientToken": NAME,
            "Description": NAME,
            "RoleName": "vmimport",
            "DiskContainer": {
                "Description": NAME,
                "Format": "VHD",
                "UserBucket": {"S3Bucket": "images", "S3Key": key},
            },
        },
    )  # fmt: skip


def expect_registered(wire: StubbedClients) -> None:
    expect_import(wire)
    wire.expect("describe_import_snapshot_tasks", task("active"))
    wire.expect("describe_import_snapshot_tasks", task("completed", SnapshotId=SNAPSHOT))
    commit = {"Key": "clawdinator-commit", "Value": COMMIT}
    wire.expect("create_tags", {}, {"Resources": [SNAPSHOT], "Tags": [commit]})
    wire.of_s3.add_response("delete_object", {})
    wire.expect(
        "register_image", {"ImageId": IMAGE},
        {
            "Name": NAME,
            "Description": "NixOS, CLAWDINATOR inside",
            "Architecture": "x86_64",
            "BootMode": "legacy-bios",
            "VirtualizationType": "hvm",
            "EnaSupport": True,
            "SriovNetSupport": "simple",
            "ImdsSupport": "v2.0",
            "RootDeviceName": "/dev/xvda",
            "BlockDeviceMappings": [
                {
                    "DeviceName": "/dev/xvda",
                    "Ebs": {
                        "SnapshotId": SNAPSHOT, "VolumeType": "gp3", "DeleteOnTermination": True,
                    },
                }
            ],
            "TagSpecifications": [
                {
                    "ResourceType": "image",
                    "Tags": [
                        {"Key": "Name", "Value": NAME},
                        {"Key": "clawdinator-commit", "Value": COMMIT},
                        {"Key": "boot", "Value": "2"},
                    ],
                }
            ],
        },
    )  # fmt: skip


@pytest.mark.parametrize("deploying", [False, True])
def test_an_image_is_tagged_last_of_all_and_beside_a_deploy_nothing_goes(
    wire: StubbedClients, built: NixImage, *, deploying: bool
) -> None:
    wire.expect("describe_images", {"Images": []})
    expect_registered(wire)
    wire.expect("describe_images", {"Images": [{"ImageId": IMAGE, "State": "pending"}]})
    wire.expect("describe_images", {"Images": [{"ImageId": IMAGE, "State": "available"}]})
    wire.expect(
        "create_tags",
        {},
        {"Resources": [IMAGE], "Tags": [{"Key": "clawdinator", "Value": "true"}]},
    )
    if not deploying:
        wire.expect("describe_images", {"Images": []})
        wire.expect("describe_instances", {"Reservations": []})
        wire.expect("describe_instances", {"Reservations": []})

    assert maker(wire, lambda: built, deploying=deploying).make() == IMAGE
    wire.of_ec2.assert_no_pending_responses()
    wire.of_s3.assert_no_pending_responses()


def test_an_image_that_fails_is_never_tagged(wire: StubbedClients, built: NixImage) -> None:
    wire.expect("describe_images", {"Images": []})
    expect_registered(wire)
    wire.expect("describe_images", {"Images": [{"ImageId": IMAGE, "State": "failed"}]})

    with pytest.raises(Stopped, match=f"{IMAGE} is failed"):
        maker(wire, lambda: built).make()
    wire.of_ec2.assert_no_pending_responses()


def test_a_commit_that_has_its_image_is_not_built_again(wire: StubbedClients) -> None:
    wire.expect(
        "describe_images",
        {"Images": [{"ImageId": IMAGE}]},
        {
            "Owners": ["self"],
            "Filters": [
                {"Name": "tag:clawdinator-commit", "Values": [COMMIT]},
                {"Name": "tag:clawdinator", "Values": ["true"]},
                {"Name": "tag:boot", "Values": ["2"]},
                {"Name": "state", "Values": ["available"]},
            ],
        },
    )

    def build() -> NixImage:
        raise AssertionError("nothing is to be built")

    assert maker(wire, build).make() == IMAGE


def test_an_import_that_ends_badly_says_why(wire: StubbedClients, built: NixImage) -> None:
    wire.expect("describe_images", {"Images": []})
    expect_import(wire)
    wire.expect("describe_import_snapshot_tasks", task("deleted", StatusMessage="no such role"))

    with pytest.raises(Stopped, match="gave up importing the disk: no such role"):
        maker(wire, lambda: built).make()


def test_an_import_is_not_waited_for_without_end(wire: StubbedClients) -> None:
    for _ in range(181):  # every twenty seconds
        wire.expect("describe_import_snapshot_tasks", task("active", StatusMessage="converting"))

    clock = HastyTime(NOON)
    with pytest.raises(Stopped, match="still imports the disk after an hour: converting"):
        snapshot.finished(wire.ec2, TASK, clock)
    assert clock.slept == 3600
    wire.of_ec2.assert_no_pending_responses()


def test_an_image_is_not_waited_for_without_end(wire: StubbedClients) -> None:
    for _ in range(181):  # every ten seconds
        wire.expect("describe_images", {"Images": [{"ImageId": IMAGE, "State": "pending"}]})

    clock = HastyTime(NOON)
    with pytest.raises(Stopped, match="is pending after half an hour"):
        registration.wait_available(wire.ec2, IMAGE, clock)
    assert clock.slept == 1800
    wire.of_ec2.assert_no_pending_responses()


def made(number: int, *, published: bool = True) -> BuiltImage:
    return BuiltImage(f"ami-{number}", f"2026-11-{number:02}T00:00:00Z", published)


@pytest.mark.parametrize(
    ("images", "in_use", "gone"),
    [
        ([made(1), made(2), made(3)], [], ["ami-1"]),
        ([made(1), made(2), made(3)], ["ami-1"], []),
        # What a dead run left does not push a good one out.
        ([made(1), made(2), made(3, published=False)], [], ["ami-3"]),
        ([made(1), made(2, published=False)], ["ami-2"], []),
        ([], ["ami-9"], []),
    ],
)
def test_the_newest_few_and_those_in_use_are_kept(
    images: list[BuiltImage], in_use: list[str], gone: list[str]
) -> None:
    assert [one.id for one in superfluous(images, in_use, kept=2)] == gone


def test_five_images_are_kept() -> None:
    assert [one.id for one in superfluous(map(made, range(1, 8)), ())] == ["ami-2", "ami-1"]


def image(id_: str, *snapshots: str, **tags: str) -> dict[str, Any]:
    mappings = [{"Ebs": {"SnapshotId": one}} for one in snapshots]
    return {
        "ImageId": id_,
        "CreationDate": "2026-01-01",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "BlockDeviceMappings": [*mappings, {"VirtualName": "ephemeral0"}],
    }


def test_images_and_snapshots_that_serve_nobody_go(wire: StubbedClients) -> None:
    marks = {"clawdinator": "true", "clawdinator-commit": "c"}
    images = [
        image("ami-old", "snap-old", **marks),
        image("ami-used", "snap-used", **marks),
        # Somebody's own, of a snapshot of ours.
        image("ami-theirs", "snap-lent"),
    ]
    wire.expect("describe_images", {"Images": images}, {"Owners": ["self"]})
    wire.expect("describe_instances", {"Reservations": [{"Instances": [{"ImageId": "ami-used"}]}]})
    wire.expect("deregister_image", {}, {"ImageId": "ami-old"})
    marked = ["snap-old", "snap-used", "snap-lent", "snap-of-a-dead-run"]
    wire.expect(
        "describe_snapshots",
        {"Snapshots": [{"SnapshotId": one} for one in marked]},
        {"OwnerIds": ["self"], "Filters": [{"Name": "tag-key", "Values": ["clawdinator-commit"]}]},
    )
    wire.expect("delete_snapshot", {}, {"SnapshotId": "snap-old"})
    wire.expect("delete_snapshot", {}, {"SnapshotId": "snap-of-a-dead-run"})

    gone = list(pruning.prune(wire.ec2, kept=0))

    assert gone == ["ami-old", "snap-old", "snap-of-a-dead-run"]
    wire.of_ec2.assert_no_pending_responses()


def test_where_ec2_lists_no_host_nothing_is_thought_superfluous(wire: StubbedClients) -> None:
    """A list may be empty though hosts run; the next build prunes."""
    old = image("ami-old", "snap-old", **{"clawdinator": "true", "clawdinator-commit": "c"})
    wire.expect("describe_images", {"Images": [old]}, {"Owners": ["self"]})
    wire.expect("describe_instances", {"Reservations": []})

    assert list(pruning.prune(wire.ec2, kept=0)) == []
    wire.of_ec2.assert_no_pending_responses()


def write_info(folder: Path, info: object) -> None:
    (folder / "nix-support").mkdir(parents=True)
    (folder / nix_image.INFO).write_text(json.dumps(info))


@pytest.mark.parametrize(
    "info",
    [
        {"boot_mode": "uefi", "system": "x86_64-linux", "file": "/nix/store/x.vhd"},
        {"boot_mode": "uefi", "system": "x86_64-linux",
         "disks": {"root": {"file": "/nix/store/x.vhd", "logical_bytes": "1"}}},
    ],
)  # fmt: skip
def test_what_nix_says_of_its_image_is_read(tmp_path: Path, info: object) -> None:
    write_info(tmp_path, info)

    assert nix_image.read(tmp_path) == NixImage(Path("/nix/store/x.vhd"), "uefi", "x86_64-linux")


@pytest.mark.parametrize("info", [{}, [], {"disks": {}}, "x"])
def test_what_nix_says_otherwise_stops_the_run(tmp_path: Path, info: object) -> None:
    write_info(tmp_path, info)

    with pytest.raises(Stopped, match="is not as nixpkgs writes it"):
        nix_image.read(tmp_path)


def seed(**files: str) -> Seed:
    named = {
        "flake.lock": "{}",
        "nix/facts.json": '{"agentCommand": "/bin/agent"}',
        "nix/instances.json": registry_text(["claw-1"]),
        **files,
    }
    return Seed(COMMIT, {path: File(text.encode()) for path, text in named.items()})


def test_nix_builds_the_seeds_very_files_beside_their_sum(tmp_path: Path) -> None:
    one = seed(**{"flake.nix": "{ }"})
    one = Seed(COMMIT, {**one.files, "skills/run.sh": File(b"#!/bin/sh", executable=True)})
    info = {"boot_mode": "uefi", "system": "x86_64-linux", "file": "/nix/store/x.vhd"}
    program = (
        "import json, pathlib, sys; link, flake = sys.argv[1:];"
        f" assert flake == 'path:{tmp_path}/seed#image', flake;"
        " there = pathlib.Path(link, 'nix-support'); there.mkdir(parents=True);"
        f" there.joinpath('image-info.json').write_text(json.dumps({info!r}))"
    )

    assert nix_image.build(one, tmp_path, (sys.executable, "-c", program)).boot_mode == "uefi"

    laid = {
        str(path.relative_to(tmp_path / "seed")): File(
            path.read_bytes(), executable=bool(path.stat().st_mode & 0o100)
        )
        for path in (tmp_path / "seed").rglob("*")
        if path.is_file()
    }
    said = laid.pop("SEED_SHA256").data.decode()
    assert laid == one.files
    assert said == f"{hashlib.sha256(one.packed()[1]).hexdigest()}\n"


def test_a_failure_of_nix_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="Nix could not build"):
        nix_image.build(seed(), tmp_path, (sys.executable, "-c", "import sys; sys.exit(1)"))


def test_without_a_lock_nothing_is_built(tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="nix flake lock"):
        nix_image.build(Seed(COMMIT, {}), tmp_path)


def test_of_a_wrong_registry_nothing_is_built(tmp_path: Path) -> None:
    wrong = seed(**{"nix/instances.json": '{"claw-1": {}}'})

    with pytest.raises(Stopped, match="`claw-1`: `host` is missing"):
        nix_image.build(wrong, tmp_path, (sys.executable, "-c", ""))


@pytest.mark.parametrize(
    ("facts", "none"),
    [('{"agentCommand": "/x"}', False), ('{"agentCommand": ""}', True), ("{}", True)],
)
def test_whether_hosts_systems_can_be_held_is_known_by_the_agent(facts: str, none: bool) -> None:
    assert nix_image.without_systems(seed(**{"nix/facts.json": facts})) is none


def test_what_is_not_set_is_named_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git.run(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "flake.nix").write_text("{ }")
    git.run(tmp_path, "add", ".")
    git.run(tmp_path, "commit", "--quiet", "-m", "All")
    environ = {"PATH": os.environ["PATH"], "AWS_REGION": "eu-central-1"}

    assert main(environ, tmp_path) == 1
    assert "Not set: GITHUB_SHA" in capsys.readouterr().out
    assert (
        main({**environ, "GITHUB_SHA": git.run(tmp_path, "rev-parse", "HEAD").strip()}, tmp_path)
        == 1
    )
    assert "Not set: IMAGE_BUCKET, BOOTSTRAP_BUCKET" in capsys.readouterr().out


def lying(number: int) -> StoredSeed:
    return StoredSeed(key(f"{number:040}"), datetime(2026, 11, number, tzinfo=UTC))


@pytest.mark.parametrize(
    ("numbers", "named", "gone"),
    [
        ([1, 2, 3], [], [1]),
        ([3, 1, 2], [], [1]),
        ([1, 2, 3], [1], []),
        ([1, 2, 3, 4], [2], [1]),
        ([1, 2], [], []),
    ],
)
def test_the_newest_few_seeds_and_those_that_are_named_are_kept(
    numbers: list[int], named: list[int], gone: list[int]
) -> None:
    found = pruning.superfluous_seeds(
        [lying(number) for number in numbers], {f"{number:040}" for number in named}, kept=2
    )

    assert found == tuple(key(f"{number:040}") for number in gone)


def test_fifty_seeds_are_kept_for_commits_that_are_named_by_hand() -> None:
    first = datetime(2026, 11, 1, tzinfo=UTC)
    seeds = [StoredSeed(key(f"{n:040}"), first + timedelta(hours=n)) for n in range(52)]

    assert pruning.superfluous_seeds(seeds, ()) == tuple(key(f"{n:040}") for n in (1, 0))


def test_seeds_that_no_image_and_no_host_names_go(wire: StubbedClients) -> None:
    tags = [{"Key": "revision", "Value": f"{1:040}"}, {"Key": "other", "Value": f"{3:040}"}]
    machine = {"ImageId": "ami-1", "Tags": tags}
    wire.expect("describe_instances", {"Reservations": [{"Instances": [machine]}]})
    named = image("ami-1", **{"clawdinator-commit": f"{2:040}"})
    wire.expect("describe_images", {"Images": [named, image("ami-2")]}, {"Owners": ["self"]})
    contents = [{"Key": one.key, "LastModified": one.put} for one in map(lying, (1, 2, 3))]
    wire.of_s3.add_response(
        "list_objects_v2", {"Contents": contents}, {"Bucket": "bootstrap", "Prefix": "seeds/"}
    )
    wire.of_s3.add_response("delete_object", {}, {"Bucket": "bootstrap", "Key": key(f"{3:040}")})

    gone = list(pruning.prune_seeds(wire.s3, wire.ec2, "bootstrap", kept=0))

    assert gone == [key(f"{3:040}")]
    wire.of_ec2.assert_no_pending_responses()
    wire.of_s3.assert_no_pending_responses()


RUN = ThisRun(7, 1, "openclaw/clawdinators", "image-build.yml", "main", "sam", "1", "sam")


@pytest.mark.parametrize(
    ("statuses", "found"),
    [
        ([], False),
        (["completed", "completed"], False),
        (["completed", "in_progress"], True),
        (["queued", "completed"], True),
        (["pending"], True),
    ],
)
def test_a_deploy_that_waits_or_runs_is_seen(statuses: list[str], *, found: bool) -> None:
    with serving() as github:
        entry = Entry(*[""] * len(TITLE_FIELDS))
        github.runs = [raw_run(n, entry, status=one) for n, one in enumerate(statuses, 1)]
        assert pruning.deploying(GitHubRuns(github.url, TOKEN, ""), RUN, NOON) is found


def test_where_github_does_not_tell_a_deploy_may_run() -> None:
    with serving() as github:
        assert pruning.deploying(GitHubRuns(github.url, "another", ""), RUN, NOON)


def test_where_ec2_lists_no_host_no_seed_goes(wire: StubbedClients) -> None:
    wire.expect("describe_instances", {"Reservations": []})

    assert list(pruning.prune_seeds(wire.s3, wire.ec2, "bootstrap", kept=0)) == []
    wire.of_ec2.assert_no_pending_responses()
