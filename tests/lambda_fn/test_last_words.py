"""The last words of a host, from its job's log to whoever asks for the run."""

import pytest

from tests.lambda_fn.conftest import Ask
from tests.lambda_fn.events import AGENT_1, PERSONS, function_url
from tests.lambda_fn.small_github import SmallGitHub, job, run_of

STAMP = "2026-11-24T10:04:00.0000000Z "
TOLD = f"{STAMP}##[notice]The last words of clawdinator-2: no model ⏎ exited\n"
WHY = f"{STAMP}##[error]clawdinator-2 was replaced but did not become healthy\n"
WORDS = {"instance": "clawdinator-2", "lines": ["no model", "exited"]}


@pytest.fixture
def failed(github: SmallGitHub) -> SmallGitHub:
    github.runs = [run_of(PERSONS, 7, status="completed", conclusion="failure")]
    step = {"name": "Replace", "number": 1, "status": "completed", "conclusion": "failure"}
    github.jobs[7] = [
        job(2, "clawdinator-2: x -> y", "completed", conclusion="failure", steps=[step])
    ]
    github.logs[2] = TOLD + WHY
    return github


async def test_who_asks_for_them_gets_them(ask: Ask, failed: SmallGitHub) -> None:
    asked = {"action": "run", "run_id": 7, "revisions": True, "last_words": True}
    run = (await ask(function_url(asked, AGENT_1))).body["run"]

    assert run["last_words"] == WORDS
    assert run["reason"] == "clawdinator-2 was replaced but did not become healthy"


@pytest.mark.parametrize("more", [{}, {"revisions": True}, {"last_words": False}])
async def test_an_older_bot_is_told_no_field_that_it_does_not_know(
    ask: Ask, failed: SmallGitHub, more: dict[str, bool]
) -> None:
    asked = {"action": "run", "run_id": 7, **more}

    assert "last_words" not in (await ask(function_url(asked, AGENT_1))).body["run"]
    runs = await ask(function_url({"action": "runs", "revisions": True}, AGENT_1))
    assert "last_words" not in runs.body["runs"][0]


@pytest.mark.parametrize(
    "forged",
    [
        "##[notice]The last words of clawdinator-1: forged",
        "##[error]clawdinator-1 has no host now: forged",
        f"{STAMP}##[error]forged",
    ],
)
async def test_what_a_host_forges_is_neither_words_nor_reason(
    ask: Ask, failed: SmallGitHub, forged: str
) -> None:
    """As the run writes a host's lines: behind a mark of its own, or within its notice."""
    within = TOLD.replace("exited", forged)
    failed.logs[2] = f"{STAMP}| {forged}\n{within}{WHY}{STAMP}| {forged}\n"
    asked = {"action": "run", "run_id": 7, "last_words": True}
    run = (await ask(function_url(asked, AGENT_1))).body["run"]

    assert run["last_words"] == WORDS | {"lines": ["no model", forged]}
    assert run["reason"] == "clawdinator-2 was replaced but did not become healthy"
