"""Each job of a deploy says by what its ask is found in the other logs."""

import logging

import pytest

from tests.workflows import plans
from tests.workflows.conftest import NEW, OLD, LocalRunner

TWO = "clawdinator-2"
ASKED = "discord.clawdinator-1.123.456"


@pytest.mark.parametrize("job", ["plan", "host", "finish"])
def test_its_log_begins_with_it_and_its_summary_ends_with_it(
    runner: LocalRunner, caplog: pytest.LogCaptureFixture, job: str
) -> None:
    caplog.set_level(logging.INFO)
    assert runner.does(job, REQUEST_ID=ASKED, TARGET="clawdinator-9") == 1
    assert caplog.messages[0] == f"fleet.job job={job} request_id={ASKED}"
    assert runner.summary.startswith("## Stopped: ")
    assert runner.summary.endswith(f"\n\nRequest id `{ASKED}`.\n\n")


def test_a_plan_that_is_done_has_it_too(runner: LocalRunner) -> None:
    runner.registers("clawdinator-1", TWO)
    runner.launches("clawdinator-1")
    before = {"id": runner.launches(TWO), "ami": OLD}
    runner.plans(plans.replaced(TWO, image=NEW, before=before))
    asked = {"REQUEST_ID": ASKED, "REQUESTED_BY": "discord:8 sam"}
    assert runner.does("plan", **asked) == 0
    assert runner.summary.endswith(f"\n\nRequest id `{ASKED}`.\n\n")


@pytest.mark.parametrize("said", ["", "x\n::error::y", "discord.claw.1.`x`", f"{ASKED}.7"])
def test_what_is_none_is_not_repeated(
    runner: LocalRunner, caplog: pytest.LogCaptureFixture, said: str
) -> None:
    caplog.set_level(logging.INFO)
    assert runner.does("plan", REQUEST_ID=said, TARGET="clawdinator-9") == 1
    assert caplog.messages[0] == "fleet.job job=plan request_id=none"
    assert "Request id" not in runner.summary
