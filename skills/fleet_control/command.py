"""The commands of `fleet-control`, each a function that returns its result."""

import asyncio
import json
import logging
import secrets
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from fleet_control import json_output, text_output
from fleet_control.agent import Agent
from fleet_control.api_answer import Dispatched
from fleet_control.caller import is_target
from fleet_control.clock import Clock
from fleet_control.deploy_jobs import stopped_by
from fleet_control.error import ControlApiRefused, FleetError, OutcomeUnknown, SettingsError
from fleet_control.fleet import Fleet
from fleet_control.fleet_preflight import preflight as look_at_all
from fleet_control.ledger import Entry
from fleet_control.line import code, printable, spelled_out
from fleet_control.phrases import held
from fleet_control.policy import Refused, Usage
from fleet_control.preflight import Outcome
from fleet_control.wait import until_finished

# For so long a status waits for what the last deploys left; it is shown without it, too.
LEDGER_SECONDS = 5.0

log = logging.getLogger(__name__)


class ExitCode(IntEnum):
    """How the command ends; `fleet-control --help` says the same."""

    OK = 0
    USAGE = 2
    REFUSED = 3
    BROKEN = 4
    FAILED = 5
    UNKNOWN = 6


@dataclass(frozen=True, slots=True)
class CommandContext:
    """As whom a command speaks, and what it asks."""

    agent: Agent
    fleet: Fleet
    clock: Clock


@dataclass(frozen=True, slots=True)
class Result:
    """What a command prints at its end: `text` for people, `fields` for programs."""

    text: str
    fields: Mapping[str, Any]
    exit: ExitCode = ExitCode.OK

    def shown(self, *, as_json: bool) -> str:
        if not as_json:
            return "\n".join(printable(line) for line in self.text.split("\n"))
        told = {"ok": self.exit is ExitCode.OK, **self.fields}
        return spelled_out(json.dumps(told, indent=2, ensure_ascii=False))


def broken(error: FleetError) -> Result:
    match error:
        case ControlApiRefused():
            # These two are of the set-up and of the moment, not a verdict.
            verdict = error.status < 500 and error.status not in (401, 429)
            fields = {"code": error.code, "error": str(error), "retry_after": error.retry_after}
            return Result(
                printable(str(error)), fields, ExitCode.REFUSED if verdict else ExitCode.BROKEN
            )
        case SettingsError():
            return Result(
                "\n".join(map(printable, error.problems)),
                {"code": "misconfigured", "error": str(error), "problems": error.problems},
                ExitCode.BROKEN,
            )
        case OutcomeUnknown():
            return _failure("outcome_unknown", str(error), ExitCode.UNKNOWN)
        case _:
            return _failure("broken", str(error), ExitCode.BROKEN)


def _failure(code: str, message: str, exit_: ExitCode) -> Result:
    return Result(printable(message), {"code": code, "error": message}, exit_)


async def status(here: CommandContext, _: Namespace) -> Result:
    fleet, holds = await asyncio.gather(here.fleet.looked_up(LEDGER_SECONDS), here.fleet.holds())
    text = text_output.status(fleet, here.clock.now(), held(holds))
    return Result(text, {**json_output.status(fleet), **json_output.holds(holds)})


async def deploy(here: CommandContext, asked: Namespace) -> Result:
    verdict = await here.fleet.judge(here.agent.caller, asked.target, asked.image_or_commit)
    match verdict:
        case Usage(ids):
            named = ", ".join(ids) or "none that can be seen just now"
            return _failure(
                "usage",
                f"Say which: fleet-control deploy <id> [image or commit]. Ids: {named}.",
                ExitCode.USAGE,
            )
        case Refused(code, message):
            log.info("fleet.refused code=%s target=%s", code, asked.target)
            return _failure(code, message, ExitCode.REFUSED)
    entry = Entry(
        request_id=here.agent.request_id(secrets.token_hex(10)),
        target=asked.target,
        caller=here.agent.instance,
    )
    return await _dispatched(here, asked, entry.naming(asked.image_or_commit), verdict.doubt)


async def _dispatched(here: CommandContext, asked: Namespace, entry: Entry, doubt: str) -> Result:
    try:
        taken = await here.fleet.api.deploy(entry)
    except OutcomeUnknown as error:
        return _lost(str(error), entry)
    log.info(
        "fleet.dispatched target=%s run=%s request_id=%s",
        entry.target,
        taken.run_id,
        entry.request_id,
    )
    if not asked.wait:
        return _taken(taken, entry, doubt)
    for beside in filter(None, (doubt, taken.note)):
        _say(beside)
    if taken.run_id is None:
        return _lost("The deploy was taken, but not said which run it is.", entry)
    return await _waited(here, taken.run_id, asked.timeout)


def _lost(message: str, entry: Entry) -> Result:
    fields = {"code": "outcome_unknown", "error": message, "request_id": entry.request_id}
    look = f"fleet-control runs --request-id {entry.request_id}"
    return Result(f"{printable(message)}\n{look}", fields, ExitCode.UNKNOWN)


def _taken(taken: Dispatched, entry: Entry, doubt: str) -> Result:
    told = [taken.message, f"run {taken.run_id or 'unknown yet'}: {taken.url}"]
    if taken.unproven_caller:
        told.append("The Control API could not see who signed, and took the caller at its word.")
    told += filter(None, (doubt, taken.note))
    fields = {
        "message": taken.message,
        "request_id": entry.request_id,
        "run": {"id": taken.run_id, "url": taken.url},
        "unproven_caller": taken.unproven_caller,
        "ahead": taken.ahead,
        "doubt": doubt,
        "note": taken.note,
    }
    return Result("\n".join(map(printable, told)), fields)


async def wait(here: CommandContext, asked: Namespace) -> Result:
    return await _waited(here, asked.run, asked.timeout)


async def _waited(here: CommandContext, run_id: int, within: float) -> Result:
    ended = await until_finished(
        here.fleet.api, run_id, here.clock, _say, poll=here.agent.poll_seconds, within=within
    )
    if ended.conclusion == "success":
        return Result(text_output.run(ended), {"run": json_output.run(ended)})
    why = ended.reason or f"It ended as {ended.conclusion}."
    code = "deploy_stopped" if stopped_by(ended.jobs) else "deploy_failed"
    fields = {"code": code, "error": why, "run": json_output.run(ended)}
    return Result(text_output.run(ended), fields, ExitCode.FAILED)


def _say(line: str) -> None:
    sys.stderr.write(f"{printable(line)}\n")
    sys.stderr.flush()


async def runs(here: CommandContext, asked: Namespace) -> Result:
    found = await here.fleet.api.runs(asked.limit, asked.request_id)
    return Result(text_output.runs(found), {"runs": [json_output.run(one) for one in found]})


async def run(here: CommandContext, asked: Namespace) -> Result:
    found = await here.fleet.api.run(asked.run)
    return Result(text_output.run(found), {"run": json_output.run(found)})


async def history(here: CommandContext, asked: Namespace) -> Result:
    if asked.target and not is_target(asked.target):
        why = f"{code(asked.target)} is no instance's id, and not `all`."
        return _failure("usage", why, ExitCode.USAGE)
    page = await here.fleet.api.history(asked.target, asked.page)
    return Result(text_output.history(page, asked.target), json_output.history(page))


async def registry(here: CommandContext, _: Namespace) -> Result:
    known = await here.fleet.registry.get()
    return Result(text_output.registry(known, here.clock.now()), json_output.registry(known))


async def preflight(here: CommandContext, _: Namespace) -> Result:
    speaks_as = f"agent:{here.agent.instance}"
    checks = await look_at_all(here.fleet, here.clock, speaks_as=speaks_as)
    wrong = any(one.outcome is Outcome.WRONG for one in checks)
    exit_ = ExitCode.FAILED if wrong else ExitCode.OK
    return Result(text_output.preflight(checks), json_output.preflight(checks), exit_)
