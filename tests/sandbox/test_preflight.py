"""The Control API's look at the sandbox's GitHub, by the real workflow: no look begins a run."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from fleet_control.preflight import Check, Outcome, Point
from fleet_control.run_title import TITLE_FIELDS
from lambda_fn import github_check
from lambda_fn.github import GitHubClient
from lambda_fn.github_cache import GitHubCache
from lambda_fn.http_client import Budget
from lambda_fn.settings import read_settings
from sandbox.sandbox import CHECKOUT, WORKFLOW
from tests.clock import TurnedClock
from tests.sandbox.workflows import FILE, REPO, RUNS, TOKEN, ApiClient, github_of

DAY = 24 * 3600
SEEN = {
    *(Point.GITHUB, Point.GITHUB_TOKEN, Point.QUOTA, Point.WORKFLOW, Point.DISPATCH),
    Point.HOST_FILES,
}


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def github(tmp_path: Path, clock: TurnedClock) -> AsyncIterator[ApiClient]:
    async with github_of((CHECKOUT / WORKFLOW).read_text(), tmp_path, clock) as served:
        entry = {
            "host": "claw-1",
            "instanceType": "t3.large",
            "bootstrapPrefix": "bootstrap/claw-1",
            "discordTokenSecret": "clawdinator-discord-token-1",
        }
        (tmp_path / "instances.json").write_text(json.dumps({"claw-1": entry}))
        yield served


async def looked(github: ApiClient, clock: TurnedClock) -> dict[str, Check]:
    """What the Control API finds, which at last begins no run."""
    environ = {
        "CONTROL_API_TOKEN": "t",
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": github.github.url,
        "GITHUB_REPO": REPO,
        "GITHUB_WORKFLOW": FILE,
    }
    budget = Budget(now=clock.now)
    client = GitHubClient(
        read_settings(environ), lambda _: TOKEN, str, budget, GitHubCache(), spared=0.0
    )

    def look() -> list[Check]:
        return [*github_check.workflow(client), *github_check.host_files(client)]

    found = {one.name: one for one in await asyncio.to_thread(look)}
    assert github.github.runner.listed() == []
    return found


async def test_all_is_well_and_no_run_began(github: ApiClient, clock: TurnedClock) -> None:
    found = await looked(github, clock)
    assert {one.name for one in found.values() if one.outcome is Outcome.OK} == SEEN
    assert "in 300 days" in found[Point.GITHUB_TOKEN].told
    assert (await github.call("GET", RUNS))[1]["total_count"] == 0


def test_the_trial_has_an_input_that_the_workflow_does_not_have() -> None:
    assert github_check.NO_INPUT not in TITLE_FIELDS


def _disable(github: ApiClient) -> None:
    github.github.runner.context.state = "disabled_manually"


def _take_right(github: ApiClient) -> None:
    github.github.rights["actions"] = "read"


def _take_contents(github: ApiClient) -> None:
    del github.github.rights["contents"]


def _end_token(github: ApiClient) -> None:
    github.github.ends -= 300 * DAY


def _spend(github: ApiClient) -> None:
    github.github.quota.limit = 0


def _remove_host(github: ApiClient) -> None:
    repository = github.github.runner.context.repository
    repository.head()
    repository.remove("nix/hosts/claw-1.nix")


@pytest.mark.parametrize(
    ("breaks", "wrong"),
    [
        (_disable, Point.WORKFLOW),
        (_take_right, Point.DISPATCH),
        (_take_contents, Point.GITHUB_TOKEN),
        (_end_token, Point.GITHUB_TOKEN),
        (_spend, Point.QUOTA),
        (_remove_host, Point.HOST_FILES),
    ],
)
async def test_one_thing_is_wrong(
    github: ApiClient, clock: TurnedClock, breaks: Callable[[ApiClient], None], wrong: Point
) -> None:
    breaks(github)
    found = await looked(github, clock)
    assert {name for name, one in found.items() if one.outcome is Outcome.WRONG} == {wrong}


async def test_a_disabled_workflow_starts_nothing(github: ApiClient) -> None:
    _disable(github)
    path = f"/actions/workflows/{FILE}"
    status, said = await github.call("POST", f"{path}/dispatches", {"ref": "main"})
    assert (status, said["message"]) == (
        422,
        "Cannot trigger a 'workflow_dispatch' on a disabled workflow",
    )
    assert (await github.call("GET", path))[1]["state"] == "disabled_manually"


async def test_a_folder_is_listed(github: ApiClient) -> None:
    _, rows = await github.call("GET", "/contents/nix?ref=main")
    assert {one["name"] for one in rows} >= {"hosts", "instances.json"}
    status, _ = await github.call("GET", "/contents/no/such/folder")
    assert status == 404
