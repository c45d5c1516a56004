"""What GitHub's description lets it leave out, or null, puts that run in doubt and no other."""

from typing import Any

import pytest

from fleet_control import api_answer
from fleet_control.ledger import unfinished
from fleet_control.run_row import UNKNOWN, read_run
from lambda_fn.github_cache import GitHubCache
from tests.lambda_fn.conftest import Ask
from tests.lambda_fn.events import AGENT_1, AGENTS, CHAT_1, PERSONS, function_url
from tests.lambda_fn.small_github import SmallGitHub, job, run_of

# Every field of a run and of a job in GitHub's description that is read anywhere here.
RUN_FIELDS = (
    *("name", "display_title", "html_url", "path", "event", "head_branch", "status"),
    *("conclusion", "created_at", "run_started_at", "updated_at", "run_attempt"),
    *("actor", "triggering_actor"),
)
JOB_FIELDS = (
    *("name", "status", "conclusion", "started_at", "completed_at", "steps"),
    *("runner_id", "runner_name", "runner_group_id", "runner_group_name"),
)
STEP_FIELDS = ("name", "status", "conclusion", "number", "started_at", "completed_at")
ACTOR = {"id": 583231, "login": "control-api"}
WAYS = (True, False)


def whole(run_id: int, status: str, conclusion: str | None) -> dict[str, Any]:
    return run_of(
        AGENTS._replace(request_id=f"agent.claw-1.cli.{run_id}"),
        run_id,
        name="fleet-deploy",
        status=status,
        conclusion=conclusion,
        actor=ACTOR,
        triggering_actor=ACTOR,
    )


def without(row: dict[str, Any], field: str, nulled: bool) -> dict[str, Any]:
    return {**row, field: None} if nulled else {k: v for k, v in row.items() if k != field}


@pytest.mark.parametrize("nulled", WAYS, ids=["null", "absent"])
@pytest.mark.parametrize("field", [*RUN_FIELDS, "id"])
@pytest.mark.parametrize("state", [("in_progress", None), ("completed", "failure")])
async def test_a_run_without_a_field_hides_no_other(
    ask: Ask, github: SmallGitHub, field: str, nulled: bool, state: tuple[str, str | None]
) -> None:
    odd = without(whole(8, *state), field, nulled)
    github.runs = [whole(9, *state), odd, whole(7, *state)]

    answer = await ask(function_url({"action": "runs", "unfinished": True}, CHAT_1))

    assert answer.status == 200
    listed = [one["id"] for one in answer.body["runs"]]
    assert listed == ([9, 7] if field == "id" else [9, 8, 7])
    runs = api_answer.runs(answer.body, every=True)
    assert all(run.status in (state[0], UNKNOWN) for run in runs)


@pytest.mark.parametrize("nulled", WAYS, ids=["null", "absent"])
@pytest.mark.parametrize("field", RUN_FIELDS)
async def test_a_run_without_a_field_is_told_by_its_id(
    ask: Ask, github: SmallGitHub, field: str, nulled: bool
) -> None:
    github.runs = [without(whole(8, "completed", "failure"), field, nulled)]
    github.jobs[8] = [job(1, "plan", "completed", conclusion="success")]

    answer = await ask(function_url({"action": "run", "run_id": 8}, AGENT_1))

    assert answer.status == 200
    assert [one["name"] for one in answer.body["run"]["jobs"]] == ["plan"]


@pytest.mark.parametrize("nulled", WAYS, ids=["null", "absent"])
@pytest.mark.parametrize("field", [*JOB_FIELDS, *(f"steps.{one}" for one in STEP_FIELDS)])
async def test_a_job_or_a_step_without_a_field_hides_no_other(
    ask: Ask, github: SmallGitHub, field: str, nulled: bool
) -> None:
    step = {"name": "Set up", "number": 1, "status": "completed", "conclusion": "success"}
    odd = job(2, "claw-2: a -> b", "completed", conclusion="failure", steps=[step])
    of_step = field.removeprefix("steps.")
    if of_step != field:
        odd["steps"] = [without(step, of_step, nulled)]
    else:
        odd = without(odd, field, nulled)
    github.runs = [whole(8, "completed", "failure")]
    github.jobs[8] = [job(1, "plan", "completed", conclusion="success"), odd]
    github.logs[2] = "##[error]it broke\n"

    answer = await ask(function_url({"action": "run", "run_id": 8}, AGENT_1))

    assert answer.status == 200
    run = api_answer.run(answer.body)
    assert [one.name for one in run.jobs][:1] == ["plan"]
    assert len(run.jobs) == 2


def test_a_run_without_a_status_is_not_over_unless_it_has_a_conclusion() -> None:
    """So it counts as its bot's unfinished deploy, whatever else it may be."""
    row = whole(8, "completed", None)
    doubtful = read_run(without(row, "status", True))
    assert (doubtful.status, doubtful.finished) == (UNKNOWN, False)
    assert unfinished([doubtful], AGENTS.caller) == (doubtful,)
    over = read_run(without(row | {"conclusion": "success"}, "status", True))
    assert (over.status, over.finished) == ("completed", True)


def test_who_started_a_run_may_be_told_by_either_name() -> None:
    row = whole(8, "in_progress", None)
    for field in ("actor", "triggering_actor"):
        assert read_run(without(row, field, True), str(ACTOR["id"])).caller == AGENTS.caller
    neither = without(without(row, "actor", True), "triggering_actor", True)
    assert read_run(neither, str(ACTOR["id"])).caller == ""


async def test_a_run_in_doubt_is_not_cancelled_as_if_it_waited(
    ask: Ask, github: SmallGitHub
) -> None:
    github.runs = [without(run_of(PERSONS, 8), "status", True)]
    asked = {"action": "cancel", "run_id": 8, "requested_by": PERSONS.requested_by}
    assert (await ask(function_url(asked, CHAT_1))).code == (409, "already_running")
    github.runs = [run_of(PERSONS, 8)]
    github.jobs[8] = [without(job(1, "plan"), "status", True)]
    answer = await ask(function_url(asked, CHAT_1), another_process=GitHubCache())
    assert answer.code == (409, "already_running")
    assert github.cancelled == []
