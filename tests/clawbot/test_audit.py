"""What is asked for, and what comes of it, is in the log under one request id."""

from dataclasses import replace

import pytest

from tests.audit_line import audit, of
from tests.clawbot.bots import ask
from tests.clawbot.control_api import run
from tests.clawbot.talk import Talk


async def test_what_comes_of_an_ask_carries_its_request_id(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        await talk.say("/fleet deploy claw-2", "/fleet freeze", "/fleet unfreeze")
        talk.api.refused["deploy"] = 500, {"ok": False, "code": "internal", "error": "It broke."}
        await talk.say("/fleet deploy claw-1")

    deploy, freeze, unfreeze, lost = audit(caplog)
    assert of(caplog, deploy.request_id) == ["fleet.asked", "fleet.dispatched"]
    assert of(caplog, freeze.request_id) == ["fleet.asked", "fleet.frozen"]
    assert of(caplog, unfreeze.request_id) == ["fleet.asked", "fleet.unfrozen"]
    assert of(caplog, lost.request_id) == ["fleet.asked", "fleet.not_dispatched"]
    # A deploy has it among its inputs; what is read is followed by nobody.
    assert talk.api.followed == [freeze.request_id, unfreeze.request_id]


async def test_what_broke_says_for_which_ask(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    talk.api.refused["run"] = 502, {"ok": False, "code": "github_refused", "error": "No."}
    talk.api.runs.append(run(7))
    with caplog.at_level("INFO"):
        await talk.say("/fleet resume 7")

    (asked,) = audit(caplog)
    assert of(caplog, asked.request_id) == ["fleet.asked", "fleet.broken"]


async def test_of_a_name_as_much_is_noted_as_tells_who_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "clawbot.ask")

    replace(ask(), name=f"a\n{'x' * 40}").audit("status\nfleet.asked")
    (line,) = audit(caplog)
    assert line.name == f"a?{'x' * 29}…"
    assert line.what == "status?fleet.asked"


async def test_a_stop_and_a_cancel_are_followed_too(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    talk.api.runs.append(run(7, "queued"))
    with caplog.at_level("INFO"):
        await talk.say("/fleet stop", "/fleet cancel 7", "/fleet cancel")

    assert talk.api.followed == [line.request_id for line in audit(caplog)][:2]
