"""Who reads the run's page reads the sentence that the chat shows, and the policy's own."""

import json
import time

import pytest

from fleet_control.caller import ALL, BotInstance
from fleet_control.ledger import Entry
from fleet_control.policy import Facts, Refused, judge
from lambda_fn.action import reason
from lambda_fn.mask import shown
from sandbox.job_log import JobLog
from tests.workflows.conftest import MADE_OF, NEW, OLD, LocalRunner
from tests.workflows.loopback import raw_run

ONE, TWO, GONE = "clawdinator-1", "clawdinator-2", "clawdinator-9"


def in_chat(said: str) -> str:
    """What the chat shows of a job that wrote this: GitHub's log of it, through the Lambda."""
    lines: list[str] = []
    log = JobLog(lines, time.time)
    for line in said.splitlines():
        log.hear(line)
    log.error("Process completed with exit code 1.")
    return shown(reason("\n".join(lines)))


def on_page(summary: str, title: str) -> str:
    """The sentence below the summary's headline."""
    headline, sentence, *_ = summary.split("\n\n")
    assert headline == f"## Stopped: {title}"
    return sentence.strip()


@pytest.mark.parametrize(
    ("asked", "code", "named"),
    [
        ({"TARGET": "clawdinator-22"}, "unknown_target", "`clawdinator-22`"),
        ({"CALLER": TWO}, "self_deploy", TWO),
        ({"CALLER": ONE, "TARGET": ALL}, "self_deploy", "`all`"),
        ({"CALLER": GONE}, "unknown_caller", f"`{GONE}`"),
        ({"AMI_OVERRIDE": "ami-0bad0bad"}, "unknown_image", "`ami-0bad0bad`"),
        ({"CALLER": ONE, "AMI_OVERRIDE": OLD}, "repair_only", TWO),
        ({"CALLER": ONE}, "fleet_unwell", "clawdinator-3"),
        ({"CALLER": ONE, "GITHUB_RUN_ID": "102"}, "busy", "https://github.test/runs/101"),
    ],
)
def test_a_refusal_is_one_sentence_wherever_it_is_read(
    runner: LocalRunner,
    capsys: pytest.CaptureFixture[str],
    asked: dict[str, str],
    code: str,
    named: str,
) -> None:
    runner.registers(ONE, TWO, "clawdinator-3")
    for id_ in (ONE, TWO):
        runner.launches(id_)
    entry = Entry(target=TWO, caller=ONE)
    busy = [raw_run(102, entry, status="in_progress"), raw_run(101, entry, status="in_progress")]
    runner.github.runs = busy if code == "busy" else []

    assert runner.does("plan", **asked) == 1
    said = capsys.readouterr().out
    sentence = on_page(runner.summary, f"Refused ({code})")
    assert named in sentence
    assert f"::error title=Refused ({code})::{sentence}\n" in said
    assert sentence == in_chat(said)


@pytest.mark.parametrize(
    ("job", "target"),
    [("plan", TWO), ("plan", ALL), ("host", TWO), ("host", ALL), ("finish", ALL)],
)
def test_every_job_refuses_a_bot_itself_in_the_policys_words(
    runner: LocalRunner, capsys: pytest.CaptureFixture[str], job: str, target: str
) -> None:
    runner.registers(ONE, TWO)
    seen = runner.launches(TWO)
    verdict = judge(BotInstance(TWO), TWO if job == "host" else target, "", Facts())
    roll = json.dumps([{"id": TWO, "seen": seen, "name": TWO, **MADE_OF}])
    more = {"INSTANCE": TWO, "CALLER": TWO, "TARGET": target, "IMAGE": NEW, "ROLL": roll}

    assert runner.does(job, **more) == 1
    assert isinstance(verdict, Refused)
    assert on_page(runner.summary, "Refused (self_deploy)").startswith(verdict.message)
    assert in_chat(capsys.readouterr().out).startswith(verdict.message)
    assert runner.commands == []
