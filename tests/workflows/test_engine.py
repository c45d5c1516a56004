"""The engine is called as OpenTofu is, and its failures are told in its own words."""

import getpass
import json
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from workflows.fleet_deploy.engine import FOLDER, Engine, EngineKilled, read
from workflows.fleet_deploy.stopped import Stopped

ENVIRON = {
    "TOFU_STATE_BUCKET": "state",
    "TOFU_LOCK_TABLE": "lock",
    "AWS_REGION": "eu-central-1",
    "GITHUB_TOKEN": "ghs_secret",
    "PATH": "/usr/bin:/bin",
}
# Writes down how it was called, then does as the test says.
PROGRAM = """#!/bin/sh
{ printf '%s\\n' "$PWD" "$@"; echo; } >> "$CALLS"
echo "token:$GITHUB_TOKEN automation:$TF_IN_AUTOMATION" > "$CALLS.env"
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls"


def engine(tmp_path: Path, script: str) -> Engine:
    program = tmp_path / "engine"
    program.write_text(PROGRAM + script)
    program.chmod(0o755)
    (tmp_path / FOLDER).mkdir(parents=True, exist_ok=True)
    calls = {"CALLS": str(tmp_path / "calls"), "TOFU": str(program)}
    return read(ENVIRON | calls, tmp_path)


def test_a_hosts_plan_is_limited_to_what_is_its_own(tmp_path: Path, calls: Path) -> None:
    made = engine(tmp_path, 'case "$2" in show) echo \'{"format_version":"1.2"}\';; esac')
    file = tmp_path / "p"

    assert made.plan_hosts(file, "ami-1", ["claw"]) == {"format_version": "1.2"}
    planned, shown, _ = calls.read_text().split("\n\n")
    assert planned.splitlines() == [
        str(tmp_path),
        "-chdir=tofu/fleet",
        "plan",
        "-input=false",
        "-no-color",
        "-lock-timeout=5m",
        f"-out={file}",
        "-var=ami=ami-1",
        '-replace=aws_instance.clawdinator["claw"]',
        '-target=aws_instance.clawdinator["claw"]',
        '-target=aws_iam_role.instance["claw"]',
        '-target=aws_iam_instance_profile.instance["claw"]',
        '-target=aws_iam_role_policy.instance["claw"]',
    ]
    assert ["show", "-json", str(file)] == shown.splitlines()[2:]


def test_the_rest_is_planned_without_replacing_anything(tmp_path: Path, calls: Path) -> None:
    engine(tmp_path, "[ $2 = show ] && echo {}; true").plan_rest(tmp_path / "p", "ami-1")

    assert "-replace" not in calls.read_text()
    assert "-target" not in calls.read_text()


def test_init_says_where_the_state_lies(tmp_path: Path, calls: Path) -> None:
    engine(tmp_path, "").init()

    assert calls.read_text().split("\n\n")[0].splitlines()[1:] == [
        "-chdir=tofu/fleet",
        "init",
        "-input=false",
        "-no-color",
        "-backend-config=bucket=state",
        "-backend-config=dynamodb_table=lock",
        "-backend-config=region=eu-central-1",
    ]


def test_that_very_file_is_applied(tmp_path: Path, calls: Path) -> None:
    engine(tmp_path, "").apply(tmp_path / "p")

    assert calls.read_text().split("\n\n")[0].splitlines()[2:] == [
        "apply",
        "-input=false",
        "-no-color",
        "-lock-timeout=5m",
        str(tmp_path / "p"),
    ]


def test_what_was_made_is_known_by_the_engines_words(tmp_path: Path) -> None:
    lines = (
        'aws_instance.clawdinator["claw"]: Destruction complete after 11s',
        'aws_iam_role.instance["claw"]: Creation complete after 1s [id=claw-host]',
        'aws_instance.clawdinator["claw"]: Creation complete after 1m13s [id=i-0123456789abcdef0]',
    )
    made = engine(tmp_path, "".join(f"echo '{line}'\n" for line in lines))

    assert made.apply(tmp_path / "p") == {'aws_instance.clawdinator["claw"]': "i-0123456789abcdef0"}


def test_what_is_adopted_is_imported_once_what_is_gone_is_forgotten(
    tmp_path: Path, calls: Path
) -> None:
    engine(tmp_path, "").adopt("claw", "i-1", "ami-1")

    forgot, imported, _ = calls.read_text().split("\n\n")
    assert forgot.splitlines()[2:] == [
        "apply",
        "-input=false",
        "-no-color",
        "-lock-timeout=5m",
        "-refresh-only",
        "-auto-approve",
        '-target=aws_instance.clawdinator["claw"]',
        "-var=ami=ami-1",
    ]
    assert imported.splitlines()[2:] == [
        "import",
        "-input=false",
        "-no-color",
        "-lock-timeout=5m",
        "-var=ami=ami-1",
        'aws_instance.clawdinator["claw"]',
        "i-1",
    ]


def test_the_engine_does_not_get_githubs_token(tmp_path: Path) -> None:
    engine(tmp_path, "").init()

    assert (tmp_path / "calls.env").read_text() == "token: automation:1\n"


def test_a_failure_is_told_in_the_engines_words(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    failing = engine(tmp_path, "printf '╷\\n│ Error: Saved plan is stale\\n│ \\n' >&2; exit 1")

    with pytest.raises(Stopped, match=r"^OpenTofu's apply failed: Saved plan is stale\.$"):
        failing.apply(tmp_path / "p")
    assert "Saved plan is stale" in capfd.readouterr().out


def test_a_failure_without_words_names_the_exit(tmp_path: Path) -> None:
    with pytest.raises(Stopped, match=r"OpenTofu's init failed: exit 7, see the log\."):
        engine(tmp_path, "exit 7").init()


def test_a_plan_that_is_no_json_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="not JSON"):
        engine(tmp_path, "echo hello").plan_rest(tmp_path / "p", "ami-1")


def test_an_engine_that_is_not_there_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    with pytest.raises(Stopped, match="can't be run"):
        read(ENVIRON | {"TOFU": "no-such-tofu"}, tmp_path).init()


def test_where_the_state_lies_must_be_said() -> None:
    with pytest.raises(Stopped, match="TOFU_STATE_BUCKET, TOFU_LOCK_TABLE, AWS_REGION"):
        read({}, Path())


def test_a_large_plan_is_read_whole(tmp_path: Path) -> None:
    big = json.dumps({"resource_changes": ["x" * 1000] * 500})
    (tmp_path / "big").write_text(big)
    made = engine(tmp_path, f"[ $2 = show ] && cat {tmp_path}/big; true")

    assert len(made.plan_rest(tmp_path / "p", "ami-1")["resource_changes"]) == 500


def test_the_machines_of_the_state_are_asked_of_the_state_alone(
    tmp_path: Path, calls: Path
) -> None:
    shown = {"format_version": "1.0", "values": {"root_module": {"resources": []}}}
    made = engine(tmp_path, f"echo '{json.dumps(shown)}'")

    assert made.machines() == {}
    assert calls.read_text().split("\n\n")[0].splitlines()[2:] == ["show", "-json"]


def test_a_removal_is_limited_to_what_is_removed(tmp_path: Path, calls: Path) -> None:
    engine(tmp_path, "[ $2 = show ] && echo {}; true").plan_removal(tmp_path / "p", "ami-1", ["x"])

    planned = calls.read_text().split("\n\n")[0].splitlines()
    assert '-target=aws_instance.clawdinator["x"]' in planned
    assert '-target=aws_iam_role_policy.instance["x"]' in planned
    assert not [one for one in planned if one.startswith("-replace")]


HERE = f"{getpass.getuser()}@{socket.gethostname()}"
# Of a lock that is held until its id is given, which then says so.
LOCKED = """
if [ "$2" = force-unlock ]; then
  [ "$5" = {id} ] && rm "$CALLS.lock" && exit
  [ -e "$CALLS.lock" ] && cat "$CALLS.lock" >&2
  exit 1
fi
"""
ID = "11111111-2222-3333-4444-555555555555"
KILLED = "kill -KILL $$"


def killed(tmp_path: Path, command: str, who: str, created: str, releases: str = ID) -> str:
    """What is said of an engine that was killed in this command, leaving such a lock."""
    lock = tmp_path / "calls.lock"
    lock.write_text(
        f"Error: no\nLock Info:\n  ID:        {ID}\n  Who: {who}\n  Created: {created}\n"
    )
    made = engine(
        tmp_path, LOCKED.format(id=releases) + f"[ $2 = {command} ] && {KILLED}\necho {{}}"
    )
    ask: dict[str, Callable[[], object]] = {
        "plan": lambda: made.plan_rest(tmp_path / "p", "ami-1"),
        "apply": lambda: made.apply(tmp_path / "p"),
        "import": lambda: made.adopt("claw", "i-1", "ami-1"),
    }
    with pytest.raises(EngineKilled) as raised:
        ask[command]()
    assert lock.exists() is (releases != ID or who != HERE)
    return str(raised.value)


def now(more: float) -> str:
    return f"{datetime.fromtimestamp(time.time() + more, UTC):%Y-%m-%d %H:%M:%S.5 +0000 UTC}"


@pytest.mark.parametrize("command", ["plan", "apply", "import"])
def test_the_lock_of_an_engine_that_was_killed_is_given_back(tmp_path: Path, command: str) -> None:
    # Taken after it began, in whatever second that will be.
    assert killed(tmp_path, command, HERE, now(60)) == (
        f"OpenTofu's {command} was killed (signal 9). Its lock on the state is given back: the "
        "next deploy takes it up from there."
    )


def test_a_lock_that_can_not_be_given_back_is_told_with_who_must(tmp_path: Path) -> None:
    assert killed(tmp_path, "apply", HERE, now(60), releases="never").endswith(
        f" UTC and stayed so. If nobody is at work there, release it: /fleet unlock (lock {ID})."
    )


@pytest.mark.parametrize(("who", "ago"), [("sam@laptop", 0.0), (HERE, 3600.0)])
def test_anothers_lock_is_left_and_named(tmp_path: Path, who: str, ago: float) -> None:
    said = killed(tmp_path, "apply", who, now(-ago), releases=ID if who != HERE else "never")

    assert f"Its lock is not given back: the state was locked by {who} since " in said
    assert f"/fleet unlock (lock {ID})" in said


def test_where_no_lock_is_named_nothing_is_promised(tmp_path: Path) -> None:
    made = engine(tmp_path, f"[ $2 = apply ] && {KILLED}\nexit 1")

    with pytest.raises(EngineKilled) as raised:
        made.apply(tmp_path / "p")
    assert str(raised.value) == (
        "OpenTofu's apply was killed (signal 9). If its lock on the state stayed, the next deploy "
        "says so, and how to release it."
    )


def test_an_engine_killed_again_while_it_gives_its_lock_back_is_told_once(tmp_path: Path) -> None:
    made = engine(tmp_path, KILLED)

    with pytest.raises(
        EngineKilled, match=r"^OpenTofu's apply was killed \(signal 9\)\. If its lock"
    ):
        made.apply(tmp_path / "p")


def test_one_that_takes_no_lock_promises_nothing(tmp_path: Path) -> None:
    with pytest.raises(EngineKilled, match=r"^OpenTofu's init was killed \(signal 9\)\.$"):
        engine(tmp_path, KILLED).init()
