"""An instance renamed in the registry: its old machine and its new one never run side by side."""

import json
import shutil
import time
from typing import Any

import pytest

from fleet_control.deploy_jobs import EndState, begins
from lambda_fn.mask import shown
from tests.workflows import git, plans
from tests.workflows.conftest import MADE_OF, NEW, OLD, LocalRunner
from tests.workflows.fleets import registry_text

ONE, OLD_NAME, NEW_NAME = "clawdinator-1", "clawdinator-2", "clawdinator-two"
TOKEN = f"{OLD_NAME}-discord-token"


@pytest.fixture
def renamed(runner: LocalRunner) -> dict[str, str]:
    """Two hosts; what one of them was, another entry is by now, and has no host."""
    before = json.loads(registry_text([ONE, OLD_NAME]))
    after = {ONE: before[ONE], NEW_NAME: before[OLD_NAME]}
    runner.merges(before, time.time() - 7 * 86400)
    runner.merges(after, time.time() - 60)
    hosts = {id_: runner.launches(id_) for id_ in (ONE, OLD_NAME)}
    runner.knows(*hosts.items())
    return hosts


def own(**instead: object) -> dict[str, Any]:
    """What the host of the new name is: another instance, and still of the old host name."""
    return plans.own(
        plans.HOST, NEW_NAME, ami=NEW, user_data=plans.told(NEW_NAME, OLD_NAME), **instead
    )


def created() -> dict[str, Any]:
    return plans.host(NEW_NAME, "create", after=own())


def moved(machine: str) -> dict[str, Any]:
    return plans.replaced(ONE, image=NEW, before={"id": machine, "ami": OLD})


def removed(machine: str) -> dict[str, Any]:
    return plans.host(OLD_NAME, "delete", before={"id": machine})


def turn(**more: object) -> dict[str, str]:
    roll = [{"id": NEW_NAME, "seen": "", "name": "", "clears": [OLD_NAME], **MADE_OF, **more}]
    return {"INSTANCE": NEW_NAME, "TARGET": "all", "IMAGE": NEW, "ROLL": json.dumps(roll)}


def test_the_new_name_alone_is_refused_and_told_what_removes_the_old(
    runner: LocalRunner, renamed: dict[str, str]
) -> None:
    runner.plans(created())

    assert runner.does("plan", TARGET=NEW_NAME) == 1
    assert runner.outputs == {}
    assert runner.commands == ["init", "show"]
    assert runner.summary.startswith(
        f"## Stopped: Not made\n\nNothing was touched: {NEW_NAME} is not made while "
        f"{renamed[OLD_NAME]} ({OLD_NAME}) runs: both would have the token `{TOKEN}`. It "
        "left the registry: a deploy of `all` removes it first."
    )


def test_another_host_is_deployed_all_the_same_and_the_new_name_left_out(
    runner: LocalRunner, renamed: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    runner.plans(moved(renamed[ONE]))

    assert runner.does("plan", TARGET=ONE) == 0
    assert [one["id"] for one in json.loads(runner.outputs["roll"])] == [ONE]
    said = f"{NEW_NAME} is not made while {renamed[OLD_NAME]} ({OLD_NAME}) runs"
    assert f"::notice title=Left out::{said}" in capsys.readouterr().out
    assert f"Left out: {said}" in runner.summary


def test_all_hands_the_removal_to_the_new_names_turn(
    runner: LocalRunner, renamed: dict[str, str]
) -> None:
    runner.plans(moved(renamed[ONE]), created())

    assert runner.does("plan", TARGET="all") == 0
    turns = {one["id"]: one["clears"] for one in json.loads(runner.outputs["roll"])}
    assert turns == {ONE: [], NEW_NAME: [OLD_NAME]}


def removes(runner: LocalRunner, *changes: object) -> None:
    """What the engine plans where it is not asked to replace anything; shown and applied then."""
    file, last = runner.folder / "removal.json", runner.folder / "last"
    file.write_text(json.dumps(plans.plan(*changes)))
    launcher = runner.folder / "removing"
    launcher.write_text(
        "#!/bin/sh\n"
        f'[ "$2" = plan ] && case "$*" in *-replace*) rm -f {last};; *) touch {last};; esac\n'
        f"[ -e {last} ] && export PLAN={file}\n"
        f'exec {runner.environ["TOFU"]} "$@"\n'
    )
    launcher.chmod(0o755)
    runner.environ["TOFU"] = str(launcher)


def test_in_its_turn_the_old_host_goes_before_the_new_one_comes(
    runner: LocalRunner, renamed: dict[str, str]
) -> None:
    runner.plans(created())
    removes(runner, removed(renamed[OLD_NAME]))

    assert runner.does("host", **turn()) == 0
    hosts = runner.hosts()
    assert (set(hosts), hosts[ONE][0]) == ({ONE, NEW_NAME}, renamed[ONE])
    steps = ["plan", "show", "plan", "show", "apply", "plan", "show", "apply"]
    assert runner.commands == ["init", "show", *steps]
    targeted = f'-target=aws_instance.clawdinator["{OLD_NAME}"]'
    assert targeted in runner.calls[4]
    assert "-replace" not in runner.calls[4]
    assert f"Removed before `{NEW_NAME}` was made: `{OLD_NAME}`, which left the registry." in (
        runner.summary
    )


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("host", ONE, "delete"), "it is registered"),
        (("aws_iam_role.instance", "clawdinator-9", "delete"), "only what is in the way was to go"),
    ],
)
def test_a_removal_that_goes_further_stops_with_both_hosts_there(
    runner: LocalRunner, renamed: dict[str, str], more: tuple[str, str, str], why: str
) -> None:
    kind, id_, action = more
    change = plans.host(id_, action) if kind == "host" else plans.keyed(kind, id_, action)
    runner.plans(created())
    removes(runner, removed(renamed[OLD_NAME]), change)

    assert runner.does("host", **turn()) == 1
    assert runner.summary.startswith(
        f"## Stopped: Guarded\n\n{begins(NEW_NAME, EndState.UNTOUCHED)}Nothing was"
    )
    assert why in runner.summary
    assert set(runner.hosts()) == {ONE, OLD_NAME}
    assert "apply" not in runner.commands


def test_a_removal_that_would_not_happen_stops(
    runner: LocalRunner, renamed: dict[str, str]
) -> None:
    runner.plans(created())
    removes(runner)

    assert runner.does("host", **turn()) == 1
    assert "it was to be removed first" in runner.summary
    assert "apply" not in runner.commands


def test_an_old_host_that_does_not_go_keeps_the_new_one_from_coming(
    runner: LocalRunner, renamed: dict[str, str]
) -> None:
    runner.plans(created())
    removes(runner, removed(renamed[OLD_NAME]))
    lazy = runner.folder / "lazy"
    lazy.write_text(f'#!/bin/sh\n[ "$2" = apply ] && exit 0\nexec {runner.environ["TOFU"]} "$@"\n')
    lazy.chmod(0o755)

    assert runner.does("host", TOFU=str(lazy), **turn()) == 1
    assert f"{renamed[OLD_NAME]} was to be removed first, and still runs." in runner.summary
    assert set(runner.hosts()) == {ONE, OLD_NAME}


def test_what_stops_after_the_removal_says_that_it_was_done(
    runner: LocalRunner, renamed: dict[str, str]
) -> None:
    runner.plans(created())
    removes(runner, removed(renamed[OLD_NAME]))
    second = runner.folder / "second"
    # The third plan of the turn: the host's own, anew.
    second.write_text(
        '#!/bin/sh\n[ "$2" = plan ] && echo >> plans && [ $(wc -l < plans) = 3 ] && exit 1\n'
        f'exec {runner.environ["TOFU"]} "$@"\n'
    )
    second.chmod(0o755)

    assert runner.does("host", TOFU=str(second), **turn()) == 1
    begun = begins(NEW_NAME, EndState.UNTOUCHED)
    why = "OpenTofu's plan failed: exit 1, see the log."
    assert f"{begun}removed before: {OLD_NAME}; {why}" in runner.summary
    assert set(runner.hosts()) == {ONE}


def test_so_does_an_apply_that_fails_after_it(runner: LocalRunner, renamed: dict[str, str]) -> None:
    """However long its reason, a chat is told what was removed and where the hosts are."""
    runner.plans(created())
    removes(runner, removed(renamed[OLD_NAME]))
    second = runner.folder / "second"
    second.write_text(
        '#!/bin/sh\n[ "$2" = apply ] && echo >> applies && [ $(wc -l < applies) = 2 ] && '
        f"echo 'Error: {'word ' * 100}' && exit 1\n"
        f'exec {runner.environ["TOFU"]} "$@"\n'
    )
    second.chmod(0o755)

    assert runner.does("host", TOFU=str(second), **turn()) == 1
    said = runner.summary.partition("## Stopped: ")[2].partition("\n\n")[2].partition("\n")[0]
    begun = (
        f"{begins(NEW_NAME, EndState.GONE)}removed before: {OLD_NAME}; OpenTofu's apply failed: "
    )
    assert said.startswith(f"{begun}word ")
    assert said.endswith(f" word… Without a host: {NEW_NAME}.")
    assert shown(said) == said
    assert f"{begun}{'word ' * 40}" in runner.summary.partition(said)[2]


def test_a_machine_that_was_forgotten_is_adopted_once(
    runner: LocalRunner, renamed: dict[str, str]
) -> None:
    """The new name has a host by now, which the state forgot; the old one's is in its way."""
    runner.makes_profile(f"{NEW_NAME}-host", f"/fleet/host/{NEW_NAME}/")
    forgotten = runner.launches(NEW_NAME, profile=f"{NEW_NAME}-host")
    known = plans.replaced(NEW_NAME, after=own(), before={"id": forgotten, "ami": OLD})
    runner.plans(created(), imported=(known,))
    removes(runner, removed(renamed[OLD_NAME]))

    assert runner.does("host", **turn(seen=forgotten, adopt=True)) == 0
    assert runner.commands.count("import") == 1
    assert set(runner.hosts()) == {ONE, NEW_NAME}


def test_nothing_is_removed_for_a_host_that_would_not_start(
    runner: LocalRunner, renamed: dict[str, str]
) -> None:
    runner.retypes(NEW_NAME, "t3.lagre")
    runner.plans(plans.host(NEW_NAME, "create", after=own(instance_type="t3.lagre")))
    removes(runner, removed(renamed[OLD_NAME]))

    assert runner.does("host", **turn()) == 1
    assert "offers no `t3.lagre`" in runner.summary
    assert set(runner.hosts()) == {ONE, OLD_NAME}


def test_where_history_does_not_tell_no_first_host_is_made(
    runner: LocalRunner, renamed: dict[str, str]
) -> None:
    """The same two hosts, in a repository that begins after the rename."""
    after = json.loads((runner.folder / git.REGISTRY).read_text())
    shutil.rmtree(runner.folder / ".git")
    git.begin(runner.folder)
    runner.merges(after, time.time() - 60)
    runner.plans(created())

    assert runner.does("plan", TARGET=NEW_NAME) == 1
    assert f"{NEW_NAME}, which never had a host, is not made while {renamed[OLD_NAME]}" in (
        runner.summary
    )
