"""plan, host and finish at work, against moto and an engine that plans what the test says."""

import hashlib
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from fleet_control import seed
from fleet_control.deploy_jobs import EndState, begins
from fleet_control.ledger import Entry
from tests.workflows import plans
from tests.workflows.conftest import MADE_OF, NEW, OLD, LocalRunner
from tests.workflows.loopback import raw_run
from tests.workflows.plans import BUCKET

ROOT = Path(__file__).parents[2]
ONE, TWO, THREE, GONE = "clawdinator-1", "clawdinator-2", "clawdinator-3", "clawdinator-9"
ASK = {"REQUEST_ID": "discord.clawdinator-1.123.456", "REQUESTED_BY": "discord:8 sam"}


def moved(id_: str, machine: str, image: str = NEW) -> dict[str, object]:
    return plans.replaced(id_, image=image, before={"id": machine, "ami": OLD})


def sum_of(runner: LocalRunner, commit: str) -> str:
    """Of the seed that lies there."""
    with closing(runner.client("s3")) as s3:
        data = s3.get_object(Bucket=BUCKET, Key=seed.key(commit))["Body"].read()
    return hashlib.sha256(data).hexdigest()


def handed(*turns: tuple[str, str]) -> dict[str, str]:
    """What `plan` would have handed over for these hosts and the machines it saw."""
    roll = [
        {"id": id_, "seen": seen, "name": f"{id_}: {OLD} -> {NEW}", **MADE_OF}
        for id_, seen in turns
    ]
    return {"IMAGE": NEW, "ROLL": json.dumps(roll)}


@pytest.fixture
def fleet(runner: LocalRunner) -> dict[str, str]:
    """Two registered hosts, by id, on an older image."""
    runner.registers(ONE, TWO)
    return {id_: runner.launches(id_) for id_ in (ONE, TWO)}


def test_plan_hands_over_what_later_jobs_need(runner: LocalRunner, fleet: dict[str, str]) -> None:
    runner.plans(moved(TWO, fleet[TWO]))

    assert runner.does("plan", **ASK) == 0
    assert runner.outputs == {
        "commit": runner.commit,
        "image": NEW,
        "revision": runner.commit,
        "seed_sha256": sum_of(runner, runner.commit),
        "roll": json.dumps(
            [
                {
                    "id": TWO,
                    "seen": fleet[TWO],
                    "name": f"{TWO}: {OLD} -> {NEW} @{runner.commit[:7]}",
                    "adopt": False,
                    "clears": [],
                    "ran": plans.REVISION[:7],
                    "image": NEW,
                    "revision": runner.commit,
                    "seed_sha256": sum_of(runner, runner.commit),
                }
            ],
            separators=(",", ":"),
        ),
        "finishes": "false",
    }
    assert runner.commands == ["init", "show", "plan", "show"]
    assert f"`{fleet[TWO]}` on `{OLD}`, healthy" in runner.summary
    assert "Asked by `discord:8 sam`" in runner.summary


def test_plan_rehearses_the_whole_roll(runner: LocalRunner, fleet: dict[str, str]) -> None:
    runner.registers(ONE, TWO, THREE)
    created = plans.host(THREE, "create", image=NEW)
    runner.plans(moved(ONE, fleet[ONE]), moved(TWO, fleet[TWO]), created)

    assert runner.does("plan", TARGET="all", **ASK) == 0
    assert [turn["id"] for turn in json.loads(runner.outputs["roll"])] == [TWO, THREE, ONE]
    for id_ in (ONE, TWO, THREE):
        assert f'-replace=aws_instance.clawdinator["{id_}"]' in runner.calls[2]


def test_a_rehearsal_that_goes_too_far_stops_the_run(
    runner: LocalRunner, fleet: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    runner.plans(moved(TWO, fleet[TWO]), moved(ONE, fleet[ONE]))

    assert runner.does("plan") == 1
    assert runner.outputs == {}
    said = f'aws_instance.clawdinator["{ONE}"] would be replaced: nobody asked for this host'
    assert f"- {said}" in runner.summary
    assert f"::error title=Guarded::Nothing was applied, the plan goes too far: {said}." in (
        capsys.readouterr().out
    )


def test_a_host_that_left_the_registry_is_left_alone_and_named(
    runner: LocalRunner, fleet: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    gone = runner.launches(GONE)
    runner.plans(moved(TWO, fleet[TWO]))

    assert runner.deploys() == 0
    assert (
        f"Left alone: {GONE}, not in the registry; `all` removes what a deploy made."
        in runner.summary
    )
    assert f"::notice title=Left alone::{GONE}, not in the registry" in capsys.readouterr().out
    assert runner.hosts()[GONE] == (gone, OLD)


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ({"TARGET": "clawdinator-4"}, "Refused (unknown_target)"),
        ({"TARGET": ""}, "Bad inputs"),
        ({"CALLER": TWO}, "Refused (self_deploy)"),
        ({"CALLER": ONE, "TARGET": "all"}, "Refused (self_deploy)"),
        ({"CALLER": GONE}, "Refused (unknown_caller)"),
        ({"AMI_OVERRIDE": "ami-0bad0bad"}, "Refused (unknown_image)"),
        ({"GITHUB_RUN_ATTEMPT": "2"}, "Not twice"),
        ({"COMMIT": "main"}, "Not set up"),
        ({"GITHUB_TOKEN": "wrong"}, "GitHub is silent"),
        ({"TOFU_STATE_BUCKET": ""}, "Not set up"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "Broken"),
    ],
)
def test_what_stops_plan_is_said_and_touches_nothing(
    runner: LocalRunner,
    fleet: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    asked: dict[str, str],
    title: str,
) -> None:
    assert runner.does("plan", **asked) == 1
    assert runner.commands == []
    assert runner.outputs == {}
    assert runner.summary.startswith(f"## Stopped: {title}\n")
    assert f"::error title={title}::" in capsys.readouterr().out
    assert {id_: (machine, OLD) for id_, machine in fleet.items()} == runner.hosts()


def test_of_two_runs_of_one_ask_the_younger_stops(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    entry = Entry(ASK["REQUEST_ID"], "", TWO)
    runner.github.runs = [raw_run(100, entry), raw_run(99, entry)]

    assert runner.does("plan", **ASK) == 1
    assert "Run 99 is the deploy of this ask (https://github.test/runs/99)" in runner.summary
    assert runner.commands == []


def test_a_host_is_replaced_by_that_very_plan(runner: LocalRunner, fleet: dict[str, str]) -> None:
    runner.plans(moved(TWO, fleet[TWO]))

    assert runner.does("host", INSTANCE=TWO, **handed((TWO, fleet[TWO]))) == 0
    machine, image = runner.hosts()[TWO]
    assert (machine != fleet[TWO], image) == (True, NEW)
    assert runner.hosts()[ONE] == (fleet[ONE], OLD)
    planned = runner.calls[2].split("-out=")[1].split(" ")[0]
    assert runner.calls[4].endswith(f" {planned}")
    assert f"Now `{machine}` on `{NEW}`, was `{fleet[TWO]}`" in runner.summary


def test_a_missing_host_is_created(runner: LocalRunner, fleet: dict[str, str]) -> None:
    runner.registers(ONE, TWO, THREE)
    runner.plans(plans.host(THREE, "create", image=NEW))

    assert runner.does("host", INSTANCE=THREE, **handed((THREE, ""))) == 0
    assert runner.hosts()[THREE][1] == NEW


@pytest.mark.parametrize("job", ["plan", "host", "finish"])
def test_no_job_is_run_twice(runner: LocalRunner, fleet: dict[str, str], job: str) -> None:
    turns = handed((TWO, fleet[TWO]))

    assert runner.does(job, INSTANCE=TWO, GITHUB_RUN_ATTEMPT="2", **turns) == 1
    assert "Start a new one" in runner.summary
    assert runner.commands == []


def test_a_plan_that_goes_too_far_is_not_applied(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    runner.plans(moved(TWO, fleet[TWO]), plans.host(GONE, "delete"))

    assert runner.does("host", INSTANCE=TWO, **handed((TWO, fleet[TWO]))) == 1
    assert "apply" not in runner.commands
    assert f"\n{begins(TWO, EndState.UNTOUCHED)}Nothing was applied" in runner.summary
    assert f'aws_instance.clawdinator["{GONE}"] would be destroyed' in runner.summary


def test_a_machine_that_ec2_shows_as_anothers_is_not_taken(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    runner.plans(moved(TWO, fleet[ONE]))

    assert runner.does("host", INSTANCE=TWO, **handed((TWO, fleet[TWO]))) == 1
    assert f"{fleet[ONE]}, which EC2 shows as {ONE}" in runner.summary
    assert "apply" not in runner.commands


def test_a_roll_stops_itself_and_says_where_it_stands(
    runner: LocalRunner, fleet: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    turns = handed((ONE, fleet[ONE]), (TWO, fleet[TWO]))

    assert runner.does("host", INSTANCE=TWO, **turns) == 1
    assert runner.commands == ["init", "show"]
    assert f"{TWO} was not touched: the roll stopped at {ONE}" in runner.summary
    assert f"On {OLD}: {ONE}, {TWO}." in capsys.readouterr().out


def test_the_turn_after_a_healthy_host_begins(runner: LocalRunner, fleet: dict[str, str]) -> None:
    seen = fleet[ONE]
    runner.ec2.terminate_instances(InstanceIds=[seen])
    runner.launches(ONE, NEW)
    runner.plans(moved(TWO, fleet[TWO]))

    assert runner.does("host", INSTANCE=TWO, **handed((ONE, seen), (TWO, fleet[TWO]))) == 0


def test_a_host_that_somebody_else_moved_is_left_alone(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    assert runner.does("host", INSTANCE=TWO, **handed((TWO, "i-0123456789abcdef0"))) == 1
    assert "somebody else moved it" in runner.summary
    assert runner.commands == ["init", "show"]


def test_a_host_that_does_not_become_what_was_asked_stops_the_run(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    runner.plans(moved(TWO, fleet[TWO]))
    # An engine that says it did, and did not.
    lazy = runner.folder / "lazy"
    lazy.write_text('#!/bin/sh\n[ "$2" = show ] && cat "$PLAN"\nexit 0\n')
    lazy.chmod(0o755)

    assert runner.does("host", INSTANCE=TWO, TOFU=str(lazy), **handed((TWO, fleet[TWO]))) == 1
    ill = f"{begins(TWO, EndState.UNMOVED)}it did not become healthy within 0 s: "
    assert f"{ill}{TWO} is still the machine it was ({fleet[TWO]})" in runner.summary


@pytest.mark.parametrize("failing", ["init", "plan", "show"])
def test_what_stops_before_the_apply_says_that_the_host_was_not_touched(
    runner: LocalRunner, fleet: dict[str, str], failing: str
) -> None:
    runner.plans(moved(TWO, fleet[TWO]))
    stops = runner.folder / "stops"
    stops.write_text('#!/bin/sh\necho \'{"format_version": "1.0"}\'\n' + f'[ "$2" != {failing} ]\n')
    stops.chmod(0o755)

    assert runner.does("host", INSTANCE=TWO, TOFU=str(stops), **handed((TWO, fleet[TWO]))) == 1
    assert f"\n{begins(TWO, EndState.UNTOUCHED)}OpenTofu's {failing} failed" in runner.summary


def test_an_apply_that_fails_says_what_the_engine_said_and_where_the_host_is(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    runner.plans(moved(TWO, fleet[TWO]))
    failing = runner.folder / "failing"
    failing.write_text(
        '#!/bin/sh\n[ "$2" = show ] && cat "$PLAN"\n'
        '[ "$2" = apply ] && echo "Error: Saved plan is stale" >&2 && exit 1\nexit 0\n'
    )
    failing.chmod(0o755)

    assert runner.does("host", INSTANCE=TWO, TOFU=str(failing), **handed((TWO, fleet[TWO]))) == 1
    assert f"\n{begins(TWO, EndState.UNMOVED)}OpenTofu's apply failed: Saved plan is stale." in (
        runner.summary
    )


def test_no_job_touches_the_callers_own_host(runner: LocalRunner, fleet: dict[str, str]) -> None:
    runner.plans(moved(TWO, fleet[TWO]))
    turns = handed((TWO, fleet[TWO]))

    assert runner.does("host", INSTANCE=TWO, CALLER=TWO, **turns) == 1
    assert runner.does("finish", TARGET="all", CALLER=TWO, **turns) == 1
    assert runner.summary.count("## Stopped: Refused (self_deploy)") == 2
    assert runner.commands == []


@pytest.mark.parametrize("job", ["plan", "host"])
def test_a_plan_that_would_touch_the_caller_is_not_applied(
    runner: LocalRunner, fleet: dict[str, str], job: str
) -> None:
    rights = plans.keyed("aws_iam_role_policy.instance", ONE, "update")
    runner.plans(moved(TWO, fleet[TWO]), rights)

    assert runner.does(job, INSTANCE=TWO, CALLER=ONE, **handed((TWO, fleet[TWO]))) == 1
    assert f"it belongs to {ONE}, which asked for this" in runner.summary
    assert "apply" not in runner.commands


def test_finish_removes_what_left_the_registry(runner: LocalRunner) -> None:
    runner.registers(ONE)
    runner.launches(ONE, NEW)
    gone = runner.launches(GONE)
    runner.plans(plans.host(ONE, "no-op"), plans.host(GONE, "delete", before={"id": gone}))

    assert runner.does("finish", TARGET="all", **handed((ONE, "i-00000001"))) == 0
    assert list(runner.hosts()) == [ONE]
    assert f"Removed: `{GONE}`." in runner.summary
    assert "-replace" not in runner.calls[2]
    assert "-target" not in runner.calls[2]
    assert "Stays" not in runner.summary


def test_finish_names_what_the_engine_does_not_know_and_leaves_it(
    runner: LocalRunner, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.registers(ONE)
    runner.launches(ONE, NEW)
    foreign, nameless, odd = (runner.launches(name) for name in ("old-claw", "", "Not an id"))
    runner.plans(plans.host(ONE, "no-op"))

    assert runner.does("finish", TARGET="all", **handed((ONE, "i-00000001"))) == 0
    notice = capsys.readouterr().out.split("::notice title=Stays::")[1].rstrip()
    for name in (f"old-claw ({foreign})", nameless, f"Not an id ({odd})"):
        assert name in notice
    assert notice.endswith(", not in the registry and unknown to OpenTofu: remove it by hand.")
    assert f"Nothing to remove.\n\nStays: {notice}" in runner.summary


def test_finish_does_not_touch_a_registered_host(runner: LocalRunner) -> None:
    runner.registers(ONE)
    machine = runner.launches(ONE, NEW)
    runner.plans(moved(ONE, machine))

    assert runner.does("finish", TARGET="all", **handed((ONE, "i-00000001"))) == 1
    assert "it is registered" in runner.summary
    assert runner.hosts()[ONE] == (machine, NEW)


def test_finish_waits_for_every_host_of_the_roll(
    runner: LocalRunner, fleet: dict[str, str]
) -> None:
    runner.plans()

    assert runner.does("finish", TARGET="all", **handed((ONE, fleet[ONE]))) == 1
    assert f"the roll is not done: {ONE} is still the machine it was" in runner.summary
    assert runner.commands == ["init", "show"]


@pytest.mark.parametrize(
    ("asked", "commands"),
    [
        ({"TARGET": TWO}, []),
        ({"TARGET": "all", "OPERATION": "rollback"}, []),
        ({"TARGET": "0123-4567", "OPERATION": "unlock"}, []),
        ({"TARGET": "17", "OPERATION": "resume"}, ["init", "show"]),
    ],
)
def test_only_all_is_finished_and_what_took_it_up(
    runner: LocalRunner, fleet: dict[str, str], asked: dict[str, str], commands: list[str]
) -> None:
    runner.plans()

    assert runner.does("finish", **asked, **handed((TWO, fleet[TWO]))) == 1
    assert runner.commands == commands


@pytest.mark.parametrize(
    "other",
    [{"IMAGE": OLD}, {"TF_VAR_revision": "1" * 40}, {"TF_VAR_seed_sha256": "1" * 64}],
)
def test_a_job_that_was_told_something_else_than_its_roll_touches_nothing(
    runner: LocalRunner, fleet: dict[str, str], other: dict[str, str]
) -> None:
    told = handed((TWO, fleet[TWO])) | other

    assert runner.does("host", INSTANCE=TWO, **told) == 1
    assert f"What this job was told of {TWO} is not what the roll says." in runner.summary
    assert runner.commands == []


def test_the_workflow_starts_it_as_a_program(runner: LocalRunner) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workflows.fleet_deploy", "plan"],
        cwd=runner.folder,
        env={**runner.environ, "GITHUB_RUN_ATTEMPT": "2", "PYTHONPATH": f"{ROOT}:{ROOT}/skills"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1, "")
    _, begun, _, told = done.stdout.split("\n", 3)
    assert begun == "fleet.job job=plan request_id=none"
    assert told == (
        "::error title=Not twice::This is attempt 2 of run 100; a deploy is never run again. "
        "Start a new one.\n"
    )


def test_what_is_no_job_is_told_apart(runner: LocalRunner) -> None:
    assert runner.does("destroy") == 2


@pytest.mark.parametrize("job", ["host", "finish"])
@pytest.mark.parametrize(
    "handed_over",
    [{"TF_VAR_revision": "main"}, {"TF_VAR_seed_sha256": "0" * 40}, {"TF_VAR_revision": ""}],
)
def test_no_job_goes_on_without_a_revision_and_its_seeds_sum(
    runner: LocalRunner, fleet: dict[str, str], job: str, handed_over: dict[str, str]
) -> None:
    turns = handed((TWO, fleet[TWO]))

    assert runner.does(job, INSTANCE=TWO, TARGET="all", **turns, **handed_over) == 1
    assert runner.commands == []
