"""The engine is called as OpenTofu is, and its failures are told in its own words."""

import json
from pathlib import Path

import pytest

from workflows.fleet_deploy.engine import FOLDER, Engine, read
from workflows.fleet_deploy.stop import Stopped

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
