"""GitHub's API, as far as a deploy needs it: what is asked of it, and what its answers say.

Nothing is sent here: the Lambda and a deploy's run each move the bytes in their own way. Standard
library only: the Lambda carries this file.
"""

import json
import re
import time
from binascii import a2b_base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fleet_control.ledger import WAITING, Entry, Run, seconds
from fleet_control.run_row import read_run

API_VERSION = "2026-03-10"
PER_PAGE = 100  # GitHub's most
GRAPHQL = "/graphql"
_TOKEN_ENDS = "github-authentication-token-expiration"  # noqa: S105  (the name of a header)
_EVENT = "workflow_dispatch"
# More than GitHub's clock differs from ours by, in seconds; and what it asks us to wait where it
# says no other time.
_MINUTE = 60
_LONGEST_WAIT = 24 * 60 * 60


class Request(NamedTuple):
    """One request: `path` with its query, `body` JSON or nothing."""

    method: str
    path: str
    body: bytes = b""


class Response(NamedTuple):
    """What came back; `headers` by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def headers(token: str, sender: str, etag: str = "") -> dict[str, str]:
    """Of every request; with an etag, what has not changed since is not sent again."""
    sent = {
        "accept": "application/vnd.github+json",
        "authorization": f"Bearer {token}",
        "user-agent": sender,
        "x-github-api-version": API_VERSION,
    }
    return sent | {"if-none-match": etag} if etag else sent


def _get(path: str, query: Mapping[str, object] | None = None) -> Request:
    return Request("GET", f"{path}?{urlencode(query)}" if query else path)


def _post(path: str, said: object) -> Request:
    return Request("POST", path, json.dumps(said).encode())


class Paged(NamedTuple):
    """A list that GitHub gives in pages.

    Attributes:
        rows: the name that the rows have in a page.
        size: how many rows a full page has.
        most: how many pages are asked for at the most.
    """

    path: str
    rows: str
    query: Mapping[str, str]
    size: int
    most: int

    def pages(self, said: Callable[[Request], Any]) -> Iterator[list[Mapping[str, Any]]]:
        """Each page's rows, asked for when it is wanted; `said` gives what a request is answered.
        A page that is not full is the last."""
        for number in range(1, self.most + 1):
            asked = {**self.query, "per_page": self.size, "page": number}
            found = said(_get(self.path, asked))[self.rows]
            yield found
            if len(found) < self.size:
                return


class WorkflowApi(NamedTuple):
    """What is asked of a workflow's runs on one branch.

    Attributes:
        repo: ``<owner>/<name>``.
        file: the name of the workflow's file.
        account: the number of the one account whose runs' titles are believed; empty for anybody's.
    """

    repo: str
    file: str
    branch: str
    account: str = ""

    @property
    def _repo(self) -> str:
        return f"/repos/{self.repo}"

    @property
    def _own(self) -> str:
        return f"{self._repo}/actions/workflows/{self.file}"

    def dispatch(self, entry: Entry) -> Request:
        """Start a run."""
        return _post(f"{self._own}/dispatches", {"ref": self.branch, "inputs": entry.inputs})

    def runs(self, created: str = "", size: int = PER_PAGE, most: int = 3) -> Paged:
        """The dispatched runs, newest first; `created` is what `since` or `about` says."""
        query = self._dispatched | ({"created": created} if created else {})
        return Paged(f"{self._own}/runs", "workflow_runs", query, size, most)

    def runs_of(self, status: str, size: int) -> Request:
        """How many runs have this status, and the newest of them."""
        return _get(f"{self._own}/runs", {"status": status, "per_page": size, **self._dispatched})

    @property
    def _dispatched(self) -> dict[str, str]:
        return {"event": _EVENT, "branch": self.branch}

    def run(self, run_id: int) -> Request:
        return _get(f"{self._repo}/actions/runs/{run_id}")

    def jobs(self, run_id: int, attempts: str = "latest", most: int = 3) -> Paged:
        """The jobs of a run's `latest` attempt, or of `all`. A matrix holds 256, and a run has two
        of its own: three pages an attempt."""
        path = f"{self._repo}/actions/runs/{run_id}/jobs"
        return Paged(path, "jobs", {"filter": attempts}, PER_PAGE, most)

    def cancel(self, run_id: int) -> Request:
        return _post(f"{self._repo}/actions/runs/{run_id}/cancel", {})

    def log(self, job_id: int) -> Request:
        return _get(f"{self._repo}/actions/jobs/{job_id}/logs")

    def annotations(self, job_id: int) -> Request:
        """What GitHub itself says of a job, such as why it never started it."""
        return _get(f"{self._repo}/check-runs/{job_id}/annotations")

    def registry(self) -> Request:
        return _get(f"{self._repo}/contents/nix/instances.json", {"ref": self.branch})

    def object_at(self, at: str, query: str, **variables: object) -> Request:
        """A GraphQL query of the branch or commit `at`."""
        owner, _, name = self.repo.partition("/")
        asked = {"owner": owner, "name": name, "at": at, **variables}
        return _post(GRAPHQL, {"query": query, "variables": asked})

    def read_run(self, raw: Mapping[str, Any]) -> Run:
        return read_run(raw, self.account)

    def has(self, raw: Mapping[str, Any]) -> bool:
        """Whether this run is one of the workflow's dispatched runs on the branch, which GitHub may
        not say; a path is `.github/workflows/fleet-deploy.yml`, sometimes with `@<branch>`."""
        file = (raw.get("path") or self.file).split("@")[0].split("/")[-1]
        told = (file, raw.get("head_branch") or self.branch, raw.get("event") or _EVENT)
        return told == (self.file, self.branch, _EVENT)

    def queue(self, ask: Callable[[Request], Any], size: int) -> "RunQueue":
        """What waits or runs, asked by status, one at a time as GitHub takes it: its counts tell of
        however many there are. So many of each are listed."""
        waiting = [ask(self.runs_of(status, size)) for status in WAITING]
        running = ask(self.runs_of("in_progress", size))
        listed = [run for one in (*waiting, running) for run in one["workflow_runs"]]
        return RunQueue(
            sum(int(one["total_count"]) for one in waiting),
            int(running["total_count"]),
            list(map(self.read_run, listed)),
        )


class RunQueue(NamedTuple):
    """The runs that wait or are under way: how many of each, and the newest of them."""

    waiting: int
    running: int
    runs: list[Run]

    def before(self, run_id: int | None) -> int:
        """How many come before this run, which may be listed already, or before a new one."""
        later = sum(run.id >= run_id for run in self.runs) if run_id else 0
        return max(0, self.waiting + self.running - later)


def read_dispatch(answer: Response) -> tuple[int, str] | None:
    """The run that was started, by its id and a page that shows it. GitHub may not say, as before
    this version of its API."""
    try:
        said = json.loads(answer.body)
        return int(said["workflow_run_id"]), str(said["html_url"])
    except (ValueError, TypeError, LookupError):
        return None


def read_registry(raw: Mapping[str, Any]) -> tuple[str, str]:
    """The registry's text, verbatim, and GitHub's sha of it."""
    # Over 1 MB, GitHub leaves the content out.
    return a2b_base64(raw["content"]).decode("utf-8", "replace"), str(raw["sha"])


def read_object(answer: Response) -> Mapping[str, Any]:
    """LookupError or TypeError where GraphQL refuses: its status is 200, too."""
    return {**json.loads(answer.body)["data"]["repository"]["object"]}


class Quota(NamedTuple):
    """GitHub's requests of this hour: so many are left of `limit`, until `reset` (Unix seconds)."""

    remaining: int
    limit: int
    reset: float


def read_quota(answer: Response) -> Quota | None:
    fields = [answer.headers.get(f"x-ratelimit-{name}", "") for name in Quota._fields]
    known = all(one.isdecimal() for one in fields)
    return Quota(*(int(one[:12]) for one in fields)) if known else None


def read_token_end(answer: Response) -> float | None:
    """When the token ends by which this was asked, Unix seconds; None where GitHub names no end. It
    says 2027-10-12 09:00:00 UTC, or with an offset."""
    text = answer.headers.get(_TOKEN_ENDS, "")
    try:
        return seconds(re.sub(r" (?=[+-])", "", text.replace(" UTC", "+00:00")))
    except ValueError:
        return None


class GitHubRefusal(NamedTuple):
    """Why GitHub did not do it.

    Attributes:
        wait: the seconds for which it wants no further requests, or 0.
        trouble: whether the fault is GitHub's own.
    """

    words: str
    wait: int = 0
    trouble: bool = False


def read_refusal(answer: Response, shown: Callable[[str], str], now: float) -> GitHubRefusal:
    """Of any answer that is no success; `shown` makes GitHub's words safe to repeat."""
    try:
        said = shown(str(json.loads(answer.body)["message"]))
    except (ValueError, TypeError, LookupError, RecursionError):
        said = f"HTTP {answer.status}"
    if wait := _wait(answer, said, now):
        return GitHubRefusal(f"GitHub asks us to wait {wait} s: {said}", wait)
    if answer.status >= 500:
        return GitHubRefusal(f"GitHub has trouble: {said}", trouble=True)
    # 404 too is what GitHub answers to a token that may not see
    hint = " (is GITHUB_TOKEN right?)" if answer.status in (403, 404) else ""
    return GitHubRefusal(f"GitHub says: {said}{hint}")


def _wait(answer: Response, said: str, now: float) -> int:
    """Seconds, as GitHub names them one way or the other, or the minute it asks for otherwise; 0
    where this is no rate limit."""
    after = answer.headers.get("retry-after", "")
    reset = answer.headers.get("x-ratelimit-reset", "")
    spent = answer.headers.get("x-ratelimit-remaining") == "0"
    limited = after or spent or "rate limit" in said.lower()
    if answer.status != 429 and not (limited and answer.status == 403):
        return 0
    seconds = _MINUTE
    if after.isdecimal():
        seconds = int(after[:9])
    elif spent and reset.isdecimal():
        seconds = int(reset[:12]) - int(now)
    return min(max(seconds, 1), _LONGEST_WAIT)


def since(seconds: float) -> str:
    """Created then (Unix seconds) or later."""
    return f">={_moment(seconds)}"


def since_about(seconds: float) -> str:
    """The same by GitHub's clock, which may differ from ours."""
    return since(seconds - _MINUTE)


def about(begin: float, end: float) -> str:
    """Created between the two, by GitHub's clock as well."""
    return f"{_moment(begin - _MINUTE)}..{_moment(end + _MINUTE)}"


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
