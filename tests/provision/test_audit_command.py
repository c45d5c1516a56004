"""`clawbot audit`: who did what, from the ledger and from the Control API's log in CloudWatch."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from clawbot.provision import control_log
from clawbot.provision.command import main
from clawbot.provision.error import ProvisionError
from fleet_control.ledger import seconds
from sandbox import function_log
from tests.clawbot.control_api import Api, control_api, run
from tests.clock import TurnedClock
from tests.provision.operator_shell import CommandResult, Operator
from tests.static.configuration import load

SAM, KIM = "discord:80351110224678912 sam", "telegram:7 kim"
HOUR, DAY = 3600.0, 86_400.0
DEPLOYED = "discord.claw-1.7.8"


def iso(ago: float) -> str:
    """So many seconds before now, as the ledger has it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))


@dataclass(frozen=True)
class Auditor:
    """An operator at a desk, the Control API that is asked, and CloudWatch."""

    operator: Operator
    api: Api

    def logged(self, ago: float, **fields: object) -> None:
        """The function wrote a line so many seconds ago."""
        line = {"event": "control.answered", "status": 200, **fields}
        self.wrote(ago, json.dumps(line))

    def wrote(self, ago: float, message: str) -> None:
        at = int((time.time() - ago) * 1000)
        with closing(self.operator.account.client("logs")) as logs:
            logs.put_log_events(
                logGroupName=control_log.GROUP,
                logStreamName="1",
                logEvents=[{"timestamp": at, "message": message}],
            )

    def makes_group(self) -> None:
        with closing(self.operator.account.client("logs")) as logs:
            logs.create_log_group(logGroupName=control_log.GROUP)
            logs.create_log_stream(logGroupName=control_log.GROUP, logStreamName="1")

    def key_without_logs(self) -> dict[str, str]:
        """Of somebody who may ask EC2 alone."""
        allowed = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}
        with closing(self.operator.account.client("iam")) as iam:
            iam.create_user(UserName="kim")
            document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
            iam.put_user_policy(UserName="kim", PolicyName="ec2", PolicyDocument=document)
            key = iam.create_access_key(UserName="kim")["AccessKey"]
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    async def asks(self, *words: str, **environ: str) -> CommandResult:
        known = {
            "FLEET_CONTROL_INSTANCE": "clawdinator-1",
            "FLEET_CONTROL_API_URL": self.api.url,
            "FLEET_CONTROL_REGION": "eu-central-1",
            "FLEET_CONTROL_TOKEN": "token-of-the-fleet",
            "FLEET_CONTROL_AWS_ACCESS_KEY_ID": "AK",
            "FLEET_CONTROL_AWS_SECRET_ACCESS_KEY": "secret",
        }
        known |= self.operator.environ | environ
        argv = ["audit", *words, "--checkout", str(self.operator.checkout)]
        code = await asyncio.to_thread(main, argv, known)
        return CommandResult(code, *self.operator.capsys.readouterr())


@pytest.fixture
async def auditor(operator: Operator) -> AsyncIterator[Auditor]:
    async with control_api(TurnedClock()) as (api, _):
        yield Auditor(operator, api)


def told(said: CommandResult) -> list[str]:
    """The lines without their times."""
    return [line.partition(" · ")[2] for line in said.out.splitlines()]


async def test_everything_is_told_once_and_oldest_first(auditor: Auditor) -> None:
    auditor.makes_group()
    ended = {"status": "completed", "conclusion": "success"}
    auditor.api.runs += [
        run(1, **ended, created=iso(9000), request_id=DEPLOYED, requested_by=SAM),
        run(2, "queued", None, created=iso(8000), caller="claw-2", request_id="agent.claw-2.cli.5"),
        run(
            3,
            "completed",
            "failure",
            created=iso(1000),
            operation="unlock",
            target="0123-abcd",
            request_id="telegram.claw-1.-100.9",
            requested_by=KIM,
        ),
    ]
    deploy: dict[str, Any] = {"action": "deploy", "target": "claw-2"}
    auditor.logged(8999, **deploy, signer="chat:claw-1", request_id=DEPLOYED, requested_by=SAM)
    frozen = {"action": "freeze", "seconds": 7200, "reason": "a move", "requested_by": KIM}
    auditor.logged(7000, **frozen, signer="chat:claw-1", request_id="telegram.claw-1.-100.3")
    refused = {"status": 409, "code": "frozen", "request_id": "agent.claw-2.cli.6"}
    auditor.logged(6000, **deploy, caller="claw-2", signer="agent:claw-2", **refused)
    auditor.logged(5000, action="unfreeze", requested_by="operator:alice", signer="operator:alice")
    auditor.logged(4000, action="cancel", run_id=7, requested_by=SAM)
    auditor.logged(3000, action="stop", requested_by=SAM, status=502, code="github_unreachable")
    auditor.logged(2000, status=401, code="unauthorized")
    auditor.logged(1500, **deploy, signer="chat:claw-1", override="freeze", requested_by=SAM)

    said = await auditor.asks("3h")

    assert told(said) == [
        f"sam in Discord (80351110224678912) · deploy claw-2 · done · {DEPLOYED}",
        "claw-2 through its agent · deploy claw-2 · queued · agent.claw-2.cli.5",
        "kim in Telegram (7) · freeze for 2 h: a move · done · telegram.claw-1.-100.3",
        "claw-2 through its agent · deploy claw-2 · refused (frozen) · agent.claw-2.cli.6",
        "alice at a desk · unfreeze · done · no request id",
        "sam in Discord (80351110224678912) · cancel run 7 · done · no request id",
        "sam in Discord (80351110224678912) · stop the roll · failed (github_unreachable)"
        " · no request id",
        "nobody who is known · something · refused (unauthorized) · no request id",
        "sam in Discord (80351110224678912) · deploy claw-2, overriding the freeze"
        " · taken, and no run is listed · no request id",
        "kim in Telegram (7) · unlock 0123-abcd · failed · telegram.claw-1.-100.9",
    ]
    times = [seconds(line.partition(" · ")[0]) for line in said.out.splitlines()]
    assert times == sorted(times)
    assert (said.code, said.err) == (0, "")
    assert "token-of-the-fleet" not in said.out


async def test_a_deploy_whose_answer_was_lost_is_its_run_and_a_refused_one_is_its_own(
    auditor: Auditor,
) -> None:
    auditor.makes_group()
    auditor.api.runs.append(run(1, created=iso(100), request_id=DEPLOYED, requested_by=SAM))
    asked = {"action": "deploy", "target": "claw-2", "request_id": DEPLOYED, "requested_by": SAM}
    auditor.logged(101, **asked, status=502, code="github_unreachable")
    auditor.logged(90, **asked, status=403, code="forged_caller", signer="agent:claw-9")

    assert [line.split(" · ")[2] for line in told(await auditor.asks())] == [
        "running",
        "refused (forged_caller)",
    ]


async def test_what_was_read_and_what_is_no_line_of_ours_is_left_out(auditor: Auditor) -> None:
    auditor.makes_group()
    auditor.logged(10, action="runs", signer="agent:claw-1")
    auditor.logged(10, action="run", signer="agent:claw-1", status=404, code="unknown_run")
    auditor.logged(10, action="run", signer="", status=403, code="unknown_caller")
    for other in ("START RequestId: 1", "control.answered action='deploy'", "[]", "{", '"x"'):
        auditor.wrote(9, other)

    assert told(await auditor.asks()) == [
        "nobody who is known · run · refused (unknown_caller) · no request id"
    ]


async def test_only_what_is_as_young_is_told(auditor: Auditor) -> None:
    auditor.makes_group()
    auditor.api.runs.append(run(1, created=iso(DAY + 600)))
    auditor.logged(DAY + 600, action="unfreeze", requested_by=SAM)

    assert (await auditor.asks()).out == "Nothing was asked for since then.\n"
    auditor.logged(DAY - 600, action="unfreeze", requested_by=SAM)
    assert len(told(await auditor.asks())) == 1
    assert len(told(await auditor.asks("2d"))) == 3


async def test_cloudwatch_is_read_page_by_page(auditor: Auditor) -> None:
    auditor.makes_group()
    for ago in (30, 20, 10):
        auditor.logged(ago, action="stop")
    limits: list[int] = []

    def limited(params: dict[str, Any], **_: object) -> None:
        limits.append(1)
        params["limit"] = 1

    with closing(auditor.operator.account.client("logs")) as logs:
        logs.meta.events.register("before-parameter-build.logs.FilterLogEvents", limited)
        assert len(control_log.read(logs, time.time() - 60)) == 3
    assert len(limits) == 3


def test_cloudwatch_is_asked_for_nothing_that_was_only_read() -> None:
    assert control_log.PATTERN == (
        '{ $.event = "control.answered" && ($.status != 200 || $.action = "deploy" || '
        '$.action = "cancel" || $.action = "stop" || $.action = "freeze" || '
        '$.action = "unfreeze") }'
    )


async def test_no_name_and_no_reason_makes_a_second_line(auditor: Auditor) -> None:
    auditor.makes_group()
    hostile = "x\n2026-01-01 · y\u2028\x1b[2J"
    auditor.logged(
        9, action="freeze", seconds=60, reason=hostile, requested_by=f"discord:1 {hostile}"
    )

    said = await auditor.asks()
    assert len(said.out.splitlines()) == 1
    assert said.out.rstrip("\n").isprintable()


async def test_no_name_and_no_reason_makes_another_part_of_a_line_or_another_person(
    auditor: Auditor,
) -> None:
    auditor.makes_group()
    kim, reason = "telegram:7 sam · freeze", "none · done · discord.claw-1.7.8"
    auditor.logged(9, action="freeze", seconds=60, reason=reason, requested_by=kim)
    auditor.logged(8, action="stop", requested_by="telegram:7 7")

    assert told(await auditor.asks()) == [
        "sam ? freeze in Telegram (7) · freeze for 1 min: none ? done ? discord.claw-1.7.8 · done"
        " · no request id",
        "7 in Telegram · stop the roll · done · no request id",
    ]


async def test_a_program_gets_an_object_a_line(auditor: Auditor) -> None:
    auditor.makes_group()
    auditor.api.runs.append(run(1, created=iso(60), request_id=DEPLOYED, requested_by=SAM))
    auditor.logged(30, action="stop", requested_by=KIM, status=409, code="nothing_runs")

    first, second = map(json.loads, (await auditor.asks("--json")).out.splitlines())
    assert first == {
        "time": first["time"],
        "who": "sam in Discord",
        "account": "discord:80351110224678912",
        "what": "deploy claw-2",
        "result": "running",
        "request_id": DEPLOYED,
        "run": 1,
        "url": first["url"],
    }
    assert (second["who"], second["code"]) == ("kim in Telegram", "nothing_runs")
    assert seconds(first["time"]) < seconds(second["time"])


async def test_whoever_reads_it_may_have_enough(
    auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `head` has."""
    auditor.makes_group()
    auditor.logged(9, action="unfreeze", requested_by=KIM)
    end, begin = os.pipe()
    os.close(end)
    with os.fdopen(begin, "w", encoding="utf-8") as out, monkeypatch.context() as here:
        here.setattr(sys, "stdout", out)
        said = await auditor.asks()
    assert (said.code, said.err) == (1, "")


async def test_nothing_is_said_to_a_program_where_nothing_was_asked_for(auditor: Auditor) -> None:
    auditor.makes_group()
    assert (await auditor.asks("--json")).out == ""


async def test_where_there_is_no_log_the_ledger_is_told_and_the_command_to_mend_it(
    auditor: Auditor,
) -> None:
    auditor.api.runs.append(run(1, created=iso(60), request_id=DEPLOYED, requested_by=SAM))

    said = await auditor.asks()
    assert len(told(said)) == 1
    assert said.code == 1
    assert said.err == (
        "The Control API's log can't be read: this account has no log group "
        "`/aws/lambda/clawdinator-control-api` in this region. Apply `tofu/control`; AWS_REGION "
        "names the region.\n"
    )


async def test_where_the_right_is_missing_it_is_named(auditor: Auditor) -> None:
    auditor.makes_group()
    said = await auditor.asks(**auditor.key_without_logs())

    assert said.code == 1
    assert said.err == (
        "The Control API's log can't be read with these credentials. It needs the right "
        "logs:FilterLogEvents on `/aws/lambda/clawdinator-control-api`.\n"
    )


async def test_where_the_ledger_is_away_the_log_is_told(auditor: Auditor) -> None:
    auditor.makes_group()
    auditor.logged(30, action="unfreeze", requested_by=KIM)
    no = {"ok": False, "code": "github_unreachable", "error": "GitHub is away."}
    auditor.api.refused["runs"] = 502, no

    said = await auditor.asks()
    assert told(said) == ["kim in Telegram (7) · unfreeze · done · no request id"]
    assert (said.code, said.err) == (1, "The ledger can't be read. GitHub is away.\n")


def test_where_cloudwatch_is_away_it_is_said(auditor: Auditor) -> None:
    """And the ledger is told then, as where it has no such log."""
    with closing(auditor.operator.account.client("logs")) as logs:
        logs.meta.events.register("before-send.logs.FilterLogEvents", _away)
        with pytest.raises(ProvisionError, match="EndpointConnectionError") as raised:
            control_log.read(logs, 0.0)
    assert str(raised.value).startswith("The Control API's log can't be read.")


def _away(**_: object) -> None:
    raise EndpointConnectionError(endpoint_url="https://logs")


async def test_however_far_back_is_asked_for_all_is_told(auditor: Auditor) -> None:
    auditor.makes_group()
    auditor.logged(9, action="unfreeze", requested_by=KIM)
    for far in ("9999w", "0001-01-01", "1969-12-31"):
        said = await auditor.asks(far)
        assert (said.code, said.err, len(told(said))) == (0, "", 1)


async def test_a_list_that_is_full_says_how_far_back_it_goes(auditor: Auditor) -> None:
    auditor.makes_group()
    auditor.api.runs += [run(number, created=iso(600)) for number in range(1, 101)]

    said = await auditor.asks("1h")
    assert len(told(said)) == 100
    oldest = auditor.api.runs[0].created
    assert said.err == (
        f"The ledger was read back to {oldest}: of deploys before that only refusals show.\n"
    )
    assert (await auditor.asks("5m")).code == 0


async def test_a_slip_in_it_is_a_usage_of_two(
    auditor: Auditor, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["audit", "tomorrow"], {})
    assert "that is no time: say `30m`" in capsys.readouterr().err


def test_group_and_rights_are_those_of_tofu_and_ninety_days_are_kept(tmp_path: Path) -> None:
    (group,) = load("control", tmp_path)["aws_cloudwatch_log_group"]
    assert group["name"] == control_log.GROUP == function_log.GROUP
    assert group["retention_in_days"] == 90
