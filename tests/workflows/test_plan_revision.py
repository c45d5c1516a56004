"""What a deploy makes its hosts of: plan at work, with a real repository and S3 before it."""

import json
import time
from pathlib import Path

import pytest

from fleet_control.archive import compress, tar, unpack
from fleet_control.registry import parse
from fleet_control.seed import PATHS, key
from fleet_control.seed_check import CONTRACT
from tests.workflows import git, plans
from tests.workflows.conftest import NEW, OLD, OLDEST, LocalRunner
from tests.workflows.fleets import registry_text
from workflows.fleet_deploy.boot_check import ANSWERS

ONE, TWO, THREE = "clawdinator-1", "clawdinator-2", "clawdinator-3"


@pytest.fixture
def fleet(runner: LocalRunner) -> dict[str, str]:
    """Two registered hosts, by id, on an older image."""
    runner.registers(ONE, TWO)
    return {id_: runner.launches(id_) for id_ in (ONE, TWO)}


def changes(runner: LocalRunner, path: str, subject: str) -> str:
    """The commit that changes this file."""
    file = runner.folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{subject}\n")
    git.run(runner.folder, "add", path)
    git.run(runner.folder, "commit", "--quiet", "-m", subject, when=time.time() - 3700)
    return runner.commit


def plans_for(
    runner: LocalRunner, fleet: dict[str, str], image: str, *ids: str, **asked: str
) -> int:
    """Plan a deploy of these hosts, for which the engine plans that image."""
    moved = (plans.replaced(id_, image=image, before={"id": fleet[id_], "ami": OLD}) for id_ in ids)
    runner.plans(*moved)
    return runner.does("plan", TARGET=ids[0] if len(ids) == 1 else "all", **asked)


def told(runner: LocalRunner) -> dict[str, str]:
    """What the engine was told with its last plan."""
    lines = (runner.folder / "calls.told").read_text().splitlines()
    return dict(zip(("revision", "seed_sha256"), lines[-1].split(" "), strict=True))


def test_without_an_ask_it_is_the_branchs_revision_on_the_newest_image(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    revision = changes(runner, "nix/module.nix", "Hosts greet")
    head = changes(runner, "docs/page.md", "Words")

    assert plans_for(runner, fleet, NEW, TWO) == 0
    assert (runner.outputs["commit"], runner.outputs["revision"]) == (head, revision)
    assert json.loads(runner.outputs["roll"])[0]["name"] == f"{TWO}: {OLD} -> {NEW} @{revision[:7]}"
    assert f"Revision `{revision[:7]}`, 1 hour old: `Hosts greet`." in runner.summary
    data = runner.s3.get_object(Bucket=runner.bucket, Key=key(revision))["Body"].read()
    assert unpack(data)["nix/module.nix"].data == b"Hosts greet\n"
    assert told(runner) == {name: runner.outputs[name] for name in ("revision", "seed_sha256")}


def test_an_image_brings_the_revision_that_it_was_built_from(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    old = runner.commit
    docs = changes(runner, "docs/page.md", "Words")
    runner.builds(docs, OLD)
    changes(runner, "nix/module.nix", "Hosts greet")

    assert plans_for(runner, fleet, OLD, TWO, AMI_OVERRIDE=OLD) == 0
    assert (runner.outputs["image"], runner.outputs["revision"]) == (OLD, old)
    assert f"an image that was asked for: `{OLD}`" in runner.summary


def test_a_commit_comes_on_the_image_that_was_built_from_it(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    old = runner.commit
    docs = changes(runner, "docs/page.md", "Words")
    runner.builds(changes(runner, "nix/module.nix", "Hosts greet"), OLDEST, NEW)

    assert plans_for(runner, fleet, OLD, TWO, REVISION=docs[:12]) == 0
    assert (runner.outputs["image"], runner.outputs["revision"]) == (OLD, old)
    assert f"a commit that was asked for, `{docs[:12]}`, on: `{OLD}`" in runner.summary


@pytest.mark.parametrize("boot", ["", "1", "3"])
def test_a_commit_whose_image_cannot_boot_it_comes_on_the_newest(
    runner: LocalRunner, fleet: dict[str, str], boot: str
) -> None:
    old = runner.commit
    runner.builds(old, OLDEST, OLD, boot=boot)
    runner.builds(changes(runner, "nix/module.nix", "Hosts greet"), NEW)

    assert plans_for(runner, fleet, NEW, TWO, REVISION=old[:7]) == 0
    assert (runner.outputs["image"], runner.outputs["revision"]) == (NEW, old)


def is_refused(runner: LocalRunner, title: str, *words: str) -> bool:
    """Whether that run stopped with this, and touched nothing."""
    assert f"## Stopped: {title}\n\nNothing was touched: " in runner.summary
    for one in words:
        assert one in runner.summary
    assert runner.outputs == {}
    return "plan" not in runner.commands


@pytest.mark.parametrize("digits", ["0123456", "0" * 40, "main"])
def test_a_commit_that_was_never_merged_is_refused(
    runner: LocalRunner, fleet: dict[str, str], digits: str
) -> None:
    assert plans_for(runner, fleet, NEW, TWO, REVISION=digits) == 1
    if digits == "main":
        assert "I can't read what was asked: revision is 'main'" in runner.summary
    else:
        assert is_refused(runner, "Refused (unknown_revision)", digits)


def test_an_image_and_a_commit_at_once_are_refused(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    assert plans_for(runner, fleet, NEW, TWO, REVISION="0" * 7, AMI_OVERRIDE=OLD) == 1
    assert "Name an image or a commit, not both" in runner.summary
    assert runner.commands == []


def test_an_image_of_another_repositorys_commit_is_refused(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    for commit in ("", "1234567", "0" * 40):
        runner.builds(commit, OLD)
        assert plans_for(runner, fleet, OLD, TWO, AMI_OVERRIDE=OLD) == 1
        assert is_refused(runner, "Refused (unknown_revision)")
    assert f"{OLD} does not say which commit it was built from" in runner.summary


@pytest.mark.parametrize("override", ["", NEW])
def test_an_image_of_another_contract_of_boot_is_refused(
    runner: LocalRunner, fleet: dict[str, str], override: str
) -> None:
    for boot, said in (("", "of an earlier version"), ("3", "of 3")):
        runner.builds(runner.commit, NEW, boot=boot)
        assert plans_for(runner, fleet, NEW, TWO, AMI_OVERRIDE=override) == 1
        sentence = f"{NEW} speaks the contract of boot {said} and not of 2"
        assert is_refused(runner, "Refused (unknown_image)", sentence, "Start `image-build`")


def test_a_seed_that_somebody_else_put_there_stops_the_run(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    squatted = compress(tar({}))
    runner.s3.put_object(Bucket=runner.bucket, Key=key(runner.commit), Body=squatted)

    assert plans_for(runner, fleet, NEW, TWO) == 1
    assert is_refused(runner, "Another seed", f"{key(runner.commit)} is not what that commit holds")


@pytest.mark.parametrize("said", ['BOOT = "1"', 'BOOT = "3"', "Words"])
def test_a_commit_of_another_contract_of_boot_is_refused(
    runner: LocalRunner, fleet: dict[str, str], said: str
) -> None:
    contract = (runner.folder / CONTRACT).read_text().rstrip("\n")
    old = changes(runner, CONTRACT, said)
    changes(runner, CONTRACT, contract)

    assert plans_for(runner, fleet, NEW, TWO, REVISION=old) == 1
    assert is_refused(
        runner,
        "Would not boot",
        f"{TWO} would not boot at revision {old[:7]}: Revision {old} does not speak the contract of"
        f" boot 2 ({CONTRACT})",
        "go back to it by a revert on the branch. Name a commit or an image since then",
    )


def test_this_repository_speaks_its_own_contract_of_boot(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    own = Path(__file__).parents[2] / CONTRACT
    changes(runner, CONTRACT, own.read_text().rstrip("\n"))

    assert plans_for(runner, fleet, NEW, TWO) == 0


_INSTEAD = "Name a commit or an image since then, or none"


def test_a_commit_whose_hosts_could_not_say_how_they_are_is_refused_by_its_image_too(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    git.run(runner.folder, "rm", "--quiet", ANSWERS)
    git.run(runner.folder, "commit", "--quiet", "-m", "Before", when=time.time() - 3700)
    old = runner.commit
    runner.builds(old, OLD)
    changes(runner, ANSWERS, "Hosts say how they are")

    for asked in ({"REVISION": old}, {"AMI_OVERRIDE": OLD}):
        assert plans_for(runner, fleet, OLD, TWO, **asked) == 1
        assert is_refused(
            runner,
            "Would not boot",
            f"{TWO} could not say how it is, so no deploy of it would succeed: at revision",
            f"{old[:7]} no host could",
            f"{_INSTEAD}, or go back by a revert on the branch.",
        )
    assert plans_for(runner, fleet, NEW, TWO) == 0


def test_the_hosts_of_this_repository_say_how_they_are() -> None:
    assert (Path(__file__).parents[2] / ANSWERS).is_file()
    assert ANSWERS.startswith(PATHS)


def renamed(**instead: str) -> dict[str, dict[str, str]]:
    """The registry, but for what is said of `TWO`."""
    registry: dict[str, dict[str, str]] = json.loads(registry_text([ONE, TWO]))
    registry[TWO] |= instead
    return registry


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (json.loads(registry_text([ONE])), f"The seed does not know {TWO}"),
        (renamed(host="elsewhere"), "its host was elsewhere, and it is clawdinator-2 now"),
        (renamed(bootstrapPrefix="bootstrap/other"), "they were in bootstrap/other"),
        (renamed(discordTokenSecret="an-old-token"), "would look for an-old-token, which"),
    ],
)
@pytest.mark.parametrize("target", ["one", "all"])
def test_a_host_that_would_boot_as_somebody_else_or_without_its_secrets_is_not_made(
    runner: LocalRunner,
    fleet: dict[str, str],
    before: dict[str, dict[str, str]],
    words: str,
    target: str,
) -> None:
    old = runner.merges(before, time.time() - 3600)
    runner.registers(ONE, TWO)
    ids = (TWO,) if target == "one" else (TWO, ONE)

    assert plans_for(runner, fleet, NEW, *ids, REVISION=old) == 1
    assert is_refused(runner, "Would not boot", TWO, old[:7], words, _INSTEAD)


def test_a_token_that_moved_away_does_not_come_back_by_a_stale_bundle(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    before = renamed(telegramTokenSecret="moved")
    old = runner.merges(before, time.time() - 3600)
    runner.registers(ONE, TWO)
    runner.uploads(TWO, parse(json.dumps(before))[TWO])

    assert plans_for(runner, fleet, NEW, TWO, REVISION=old) == 1
    assert is_refused(runner, "Would not boot", f"{TWO} would look for moved", _INSTEAD)
    assert "bundle upload" not in runner.summary
    assert plans_for(runner, fleet, NEW, TWO) == 0


def test_a_host_of_then_needs_the_bundle_of_now(runner: LocalRunner, fleet: dict[str, str]) -> None:
    old = runner.commit
    now = renamed(telegramTokenSecret="added")
    runner.merges(now, time.time() - 3600)
    assert plans_for(runner, fleet, NEW, TWO, REVISION=old) == 0

    runner.uploads(TWO, parse(json.dumps(now))[TWO], "added")
    assert plans_for(runner, fleet, NEW, TWO, REVISION=old) == 1
    mends = f"Upload it anew with `clawbot bundle upload {TWO}`"
    assert f"The bundle of {TWO} lacks added. {mends}" in runner.summary


def test_another_type_of_machine_is_no_hindrance(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    old = runner.merges(renamed(instanceType="t3.small"), time.time() - 3600)
    runner.registers(ONE, TWO)

    assert plans_for(runner, fleet, NEW, TWO, REVISION=old) == 0


def test_a_host_without_a_bundle_is_not_made(runner: LocalRunner, fleet: dict[str, str]) -> None:
    place = f"bootstrap/{TWO}/manifest.json"
    mends = f"`clawbot bundle upload {TWO}`"
    runner.s3.put_object(Bucket=runner.bucket, Key=place, Body=b"{}")
    assert plans_for(runner, fleet, NEW, TWO) == 1
    assert is_refused(runner, "Would not boot", f"{TWO} has no bundle: ", mends)

    runner.s3.delete_object(Bucket=runner.bucket, Key=place)
    assert plans_for(runner, fleet, NEW, TWO) == 1
    assert is_refused(runner, "Would not boot", f"{place} is not there. Upload it with {mends}")


def test_a_bundle_that_lacks_what_its_entry_names_is_told_by_name(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    entry = parse(registry_text([TWO]))[TWO]
    runner.uploads(TWO, entry, entry.discord_token_secret)

    assert plans_for(runner, fleet, NEW, TWO) == 1
    assert is_refused(runner, "Would not boot", f"The bundle of {TWO} lacks {TWO}-discord-token")


def test_what_a_deploy_would_have_brought_along_is_left_out_where_it_would_not_boot(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    old = runner.commit
    runner.registers(ONE, TWO, THREE)

    assert plans_for(runner, fleet, NEW, TWO, REVISION=old) == 0
    assert [turn["id"] for turn in json.loads(runner.outputs["roll"])] == [TWO]
    assert f"The seed does not know {THREE}" in runner.summary
    assert f"Left out: {THREE} would not boot at revision {old[:7]}" in runner.summary


@pytest.mark.parametrize(("spaces", "code"), [(1_000_000, 0), (1_100_000, 1)])
def test_a_manifest_of_more_than_a_mebibyte_is_none_of_ours(
    runner: LocalRunner, fleet: dict[str, str], spaces: int, code: int
) -> None:
    place = f"bootstrap/{TWO}/manifest.json"
    written = runner.s3.get_object(Bucket=runner.bucket, Key=place)["Body"].read()
    runner.s3.put_object(Bucket=runner.bucket, Key=place, Body=b" " * spaces + written)

    assert plans_for(runner, fleet, NEW, TWO) == code
