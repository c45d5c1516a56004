"""The list of runs is read whole, and what can't be read stops the run."""

from collections.abc import Iterator

import pytest

from fleet_control.ledger import Entry, seconds, unfinished
from sandbox.run_record import ANY_WORKFLOW, CONTROL_API
from tests.workflows.loopback import TOKEN, Loopback, raw_job, raw_run, serving
from workflows.fleet_deploy.github import GitHubRuns
from workflows.fleet_deploy.runner import ThisRun
from workflows.fleet_deploy.stopped import Stopped

RUN = ThisRun(42, 1, "openclaw/clawdinators", "fleet-deploy.yml", "main", "sam", "583231", "sam")
ACCOUNT = str(CONTROL_API.id)
ASKED = Entry(request_id="discord.demo.1.2", target="all")
NOW = seconds("2026-11-24T09:00:00Z")


@pytest.fixture
def github() -> Iterator[Loopback]:
    with serving() as loopback:
        yield loopback


def listed(github: Loopback, token: str = TOKEN) -> list[int]:
    client = GitHubRuns(github.url, token, ACCOUNT, sleep=lambda _: None)
    return [run.id for run in client.runs(RUN, NOW)]


def test_only_dispatched_runs_of_this_branch_are_asked_for(github: Loopback) -> None:
    github.runs = [raw_run(42, ASKED)]

    assert listed(github) == [42]
    assert github.asked == [
        {"event": ["workflow_dispatch"], "branch": ["main"], "per_page": ["100"], "page": ["1"]}
    ]


def test_a_run_is_a_line_of_the_ledger(github: Loopback) -> None:
    github.runs = [raw_run(42, ASKED)]
    (run,) = GitHubRuns(github.url, TOKEN, ACCOUNT).runs(RUN, NOW)

    assert (run.request_id, run.target, run.finished) == ("discord.demo.1.2", "all", True)


def test_every_page_is_read(github: Loopback) -> None:
    github.runs = [raw_run(id_, ASKED) for id_ in range(250, 0, -1)]

    assert list(range(250, 0, -1)) == listed(github)
    assert len(github.asked) == 3


@pytest.mark.parametrize(("day", "read"), [("10-21", 400), ("10-19", 100)])
def test_runs_too_old_to_matter_are_not_paged_through(
    github: Loopback, day: str, read: int
) -> None:
    """After thirty-five days GitHub ends whatever still waits."""
    moment = f"2026-{day}T08:00:00Z"
    github.runs = [raw_run(id_, ASKED, moment=moment) for id_ in range(400, 0, -1)]

    assert len(listed(github)) == read


def test_no_more_is_asked_for_than_github_searches(github: Loopback) -> None:
    github.runs = [raw_run(id_, ASKED, moment="2026-11-24T08:00:00Z") for id_ in range(1101, 0, -1)]
    github.jobs[7] = [raw_job(f"claw-{number}") for number in range(701)]

    assert len(listed(github)) == 1000
    assert len(GitHubRuns(github.url, TOKEN, ACCOUNT).jobs(RUN, 7)) == 600


def test_a_hiccup_is_waited_out(github: Loopback) -> None:
    github.runs = [raw_run(42, ASKED)]
    github.failures = [(502, {}, b"<html>"), (200, {}, b"<html>")]

    assert listed(github) == [42]
    assert len(github.asked) == 3


@pytest.mark.parametrize("status", [500, 429])
def test_github_that_stays_down_stops_the_run(github: Loopback, status: int) -> None:
    github.failures = [(status, {}, b"")] * 3
    slept: list[float] = []

    with pytest.raises(Stopped, match=f"can't be read .{status}"):
        GitHubRuns(github.url, TOKEN, ACCOUNT, slept.append).runs(RUN, NOW)
    assert slept == [1, 4]


def test_a_refusal_is_not_asked_again(github: Loopback) -> None:
    with pytest.raises(Stopped, match="404"):
        listed(github, token="wrong")
    assert len(github.asked) == 1


def test_the_token_is_not_carried_elsewhere(github: Loopback) -> None:
    github.failures = [(302, {"Location": f"{github.url}/elsewhere"}, b"")]

    with pytest.raises(Stopped, match="302"):
        listed(github)
    assert len(github.asked) == 1


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"workflow_runs":[{}]}', b'{"workflow_runs":[1]}', b"null"]
)
def test_an_answer_of_another_form_stops_the_run(github: Loopback, body: bytes) -> None:
    github.failures = [(200, {}, body)]

    with pytest.raises(Stopped, match="form"):
        listed(github)


def test_no_answer_at_all_stops_the_run() -> None:
    with serving() as gone:
        pass

    with pytest.raises(Stopped, match="can't be read"):
        listed(gone)


def test_the_jobs_of_a_run_are_read_whole_and_of_every_attempt(github: Loopback) -> None:
    github.runs = [raw_run(7, ASKED)]
    github.jobs[7] = [raw_job(f"claw-{number}") for number in range(120)]

    found = GitHubRuns(github.url, TOKEN, ACCOUNT).jobs(RUN, 7)

    assert [job.name for job in found] == [f"claw-{number}" for number in range(120)]
    assert (found[0].conclusion, found[0].steps[0].name) == ("success", "Check out")
    assert [asked["filter"] for asked in github.asked] == [["all"], ["all"]]


def test_a_title_is_believed_of_the_control_apis_account_alone(github: Loopback) -> None:
    """Anybody who can push a branch can start a run with any title."""
    github.runs = [raw_run(42, ASKED), raw_run(41, ASKED, actor=ANY_WORKFLOW)]
    github.runs += [{**raw_run(40, ASKED), "actor": None}]

    runs = GitHubRuns(github.url, TOKEN, ACCOUNT).runs(RUN, NOW)

    assert [run.request_id for run in runs] == [ASKED.request_id, "", ""]
    assert runs[1].url


def test_this_run_is_read_by_its_id(github: Loopback) -> None:
    github.unlisted = [raw_run(42, ASKED)]

    assert GitHubRuns(github.url, TOKEN, ACCOUNT).run(RUN).request_id == ASKED.request_id


def test_jobs_of_another_form_stop_the_run(github: Loopback) -> None:
    github.failures = [(200, {}, b'{"jobs":[{}]}')]

    with pytest.raises(Stopped, match="form"):
        GitHubRuns(github.url, TOKEN, ACCOUNT).jobs(RUN, 7)


@pytest.mark.parametrize("field", ["status", "conclusion", "display_title", "run_started_at"])
def test_a_run_in_doubt_stops_no_other_and_is_not_over(github: Loopback, field: str) -> None:
    rows = [raw_run(id_, ASKED) for id_ in (42, 41, 40)]
    github.runs = [rows[0], rows[1] | {field: None}, rows[2]]
    client = GitHubRuns(github.url, TOKEN, ACCOUNT)

    found = client.runs(RUN, NOW)

    assert [run.id for run in found] == [42, 41, 40]
    assert found[0].finished


def test_a_run_without_status_or_conclusion_counts_as_unfinished(github: Loopback) -> None:
    asked = ASKED._replace(caller="claw-1", target="claw-2")
    github.runs = [raw_run(42, asked) | {"status": None, "conclusion": None}]

    assert unfinished(GitHubRuns(github.url, TOKEN, ACCOUNT).runs(RUN, NOW), "claw-1")
