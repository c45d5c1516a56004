"""GitHub's REST API, as far as a deploy needs it."""

import json
import time
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from fleet_control.ledger import TITLE_FIELDS, WAITING, Entry, Run, read_run
from lambda_fn.failure import Code, Failure
from lambda_fn.kept import Kept
from lambda_fn.listing import Line, Listed, read_listed
from lambda_fn.mask import shown
from lambda_fn.refusal import refusal
from lambda_fn.settings import Settings
from lambda_fn.wire import Answer, Budget, Server

DAY = 24 * 60 * 60  # seconds

# A run that may still wait or run is younger: GitHub ends a job after six hours.
_RECENTLY = 3 * DAY
_HOUR = 60 * 60
# GitHub's list of runs lags a few seconds behind its dispatches.
_FIND_AFTER = (0.0, 0.5, 1.0, 1.5)
# Seconds for which what GitHub said need not be asked again; then it is asked whether it changed.
REGISTRY_KEPT = 60.0
RUNS_KEPT = 5.0
FOR_GOOD = float("inf")
# More than GitHub's clock differs from ours by, in seconds.
_MINUTE = 60
# As much of a log as surely holds what its last step said.
_LOG_END = 256 * 1024
_GRAPHQL = "/graphql"


class GitHub:
    """One repository's Actions.

    `token(fresh)` gives GitHub's token, read anew if `fresh`; `safe` takes secrets out of a text.
    `spared` is the part of GitHub's quota that is not to be read from.
    """

    def __init__(
        self,
        settings: Settings,
        token: Callable[[bool], str],
        safe: Callable[[str], str],
        budget: Budget,
        kept: Kept,
        spared: float,
    ) -> None:
        self.kept = kept
        self._spared = spared
        self._settings = settings
        self._token = token
        self._safe = safe
        self._budget = budget
        self._server = self._at(settings.api_url)
        self._repo = f"/repos/{settings.repo}"
        self._actions = f"{self._repo}/actions"
        self._workflow = f"{self._actions}/workflows/{settings.workflow}"

    def _at(self, base: str) -> Server:
        return Server(base, Code.GITHUB_UNREACHABLE, "GitHub", self._budget)

    def within(self, seconds: float) -> "GitHub":
        """The same, within so many seconds of the call."""
        part = self._budget.part(seconds)
        return GitHub(self._settings, self._token, self._safe, part, self.kept, self._spared)

    @property
    def branch(self) -> str:
        return self._settings.branch

    def shown(self, text: str) -> str:
        return shown(self._safe(text))

    @property
    def now(self) -> float:
        return self._budget.now()

    def dispatch(self, entry: Entry) -> tuple[int | None, str]:
        """Start a run; its id where that is known, and a page that shows it."""
        asked = self.now
        inputs = {"ref": self._settings.branch, "inputs": entry._asdict()}
        answer = self._accepted(self._ask("POST", f"{self._workflow}/dispatches", inputs))
        try:
            said = json.loads(answer.body)
            return int(said["workflow_run_id"]), str(said["html_url"])
        except (ValueError, TypeError, LookupError):
            # 204, as before version 2026-03-10
            return self._find(entry, asked)

    def _find(self, entry: Entry, asked: float) -> tuple[int | None, str]:
        """The run of this ask, by its title, while there is time to look."""
        try:
            for pause in _FIND_AFTER:
                self._budget.sleep(min(pause, self._budget.left()))
                since = {"created": f">={_moment(asked - _MINUTE)}"}
                for run in self._listed(since, 100, 3, kept=0):
                    if entry == tuple(getattr(run, key) for key in TITLE_FIELDS):
                        return run.id, run.url
        except (Failure, TimeoutError):
            pass
        return None, f"https://github.com/{self._settings.repo}/actions"

    def runs(self, newest: int = 0, kept: float = RUNS_KEPT) -> list[Run]:
        """The end of the ledger, newest first: so many at least, or those of the last days, among
        which are all that have not ended. Whoever asks, the list is one of three."""
        if newest:
            return self._listed({}, 30 if newest <= 30 else 100, 1, kept)
        # By the hour, or no two looks would ask the same.
        since = (self.now - _RECENTLY) // _HOUR * _HOUR
        return self._listed({"created": f">={_moment(since)}"}, 100, 3, kept)

    def _listed(self, query: dict[str, str], per_page: int, pages: int, kept: float) -> list[Run]:
        path, ours = f"{self._workflow}/runs", self._ours_only()
        raw = self._paged(path, "workflow_runs", ours | query, kept, per_page, pages)
        return [read_run(run, self._settings.account) for run in raw]

    def _ours_only(self) -> dict[str, str]:
        return {"event": "workflow_dispatch", "branch": self._settings.branch}

    def dispatched_at(self, moment: float, within: float) -> list[Run]:
        """The runs created since shortly before then (Unix seconds), until `within` later."""
        created = f"{_moment(moment - _MINUTE)}..{_moment(moment + within + _MINUTE)}"
        return self._listed({"created": created}, 100, 3, RUNS_KEPT)

    def line(self, listed: int = 1) -> Line:
        """By status, one at a time as GitHub takes it: their counts tell of however many there
        are. So many of each are listed."""
        path, query = f"{self._workflow}/runs", self._ours_only()
        found = {
            status: self._get(path, 0, status=status, per_page=listed, **query)
            for status in (*WAITING, "in_progress")
        }
        counts = {status: int(one["total_count"]) for status, one in found.items()}
        runs = [
            read_run(run, self._settings.account)
            for one in found.values()
            for run in one["workflow_runs"]
        ]
        return Line(sum(counts[status] for status in WAITING), counts["in_progress"], runs)

    def run(self, run_id: int, kept: float = RUNS_KEPT) -> Run:
        """One line of the ledger; a run of another workflow, event or branch is none."""
        answer = self._read(f"{self._actions}/runs/{run_id}", kept)
        if answer.status != 404 and self._ours(raw := self._parsed(answer)):
            return read_run(raw, self._settings.account)
        raise Failure(Code.UNKNOWN_RUN, f"There is no deploy with the run id {run_id}.")

    def _ours(self, raw: Mapping[str, Any]) -> bool:
        # ".github/workflows/fleet-deploy.yml", sometimes with "@<branch>" after it
        file = raw["path"].split("@")[0].split("/")[-1]
        ours = self._settings.workflow, self._settings.branch, "workflow_dispatch"
        return (file, raw["head_branch"], raw["event"]) == ours

    def jobs(self, run_id: int, kept: float = RUNS_KEPT) -> list[Listed]:
        """The jobs of a run's newest attempt. A matrix holds 256, and the run has two of its own:
        three pages."""
        path = f"{self._actions}/runs/{run_id}/jobs"
        return [read_listed(job) for job in self._paged(path, "jobs", {"filter": "latest"}, kept)]

    def _paged(
        self,
        path: str,
        key: str,
        query: Mapping[str, str],
        kept: float,
        per_page: int = 100,
        pages: int = 3,
    ) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for page in range(1, pages + 1):
            found += self._get(path, kept, per_page=per_page, page=page, **query)[key]
            if len(found) < page * per_page:
                break
        return found

    def _get(self, path: str, kept: float, **query: object) -> Any:
        return self._parsed(self._read(f"{path}?{urlencode(query)}", kept))

    def _read(self, path: str, seconds: float) -> Answer:
        """As it was said within so many seconds, or else as it is: GitHub does not count the
        question whether something has changed that has not."""
        known, now = self.kept.answer(path), self.now
        if known and self.kept.is_fresh(path, now, seconds):
            return known
        self.kept.check_quota(self._spared, now)
        answer = self._ask("GET", path, etag=known.headers.get("etag", "") if known else "")
        if answer.status == 304 and known:
            answer = known
        if answer.status == 200:
            self.kept.keep(path, answer, now)
        return answer

    def log(self, job_id: int) -> str:
        """A job's log, of a long one the end, or nothing. It lies on another server, which must not
        see our token."""
        try:
            answer = self._ask("GET", f"{self._actions}/jobs/{job_id}/logs")
            scheme, _, rest = answer.headers.get("location", "").partition("://")
            if scheme in ("https", self._settings.api_url.partition(":")[0]):
                host, _, path = rest.partition("/")
                answer = _end(self._at(f"{scheme}://{host}"), f"/{path}")
        except Failure:
            return ""
        return answer.body.decode("utf-8", "replace") if answer.status in (200, 206) else ""

    def annotations(self, job_id: int) -> str:
        """What GitHub itself says of a job, such as why it never started it; nothing where our
        token may not read that, as a fine-grained one may not."""
        try:
            raw = self._get(f"{self._repo}/check-runs/{job_id}/annotations", 0)
            return " ".join(str(one["message"]) for one in raw)
        except (Failure, ValueError, LookupError, TypeError):
            return ""

    def registry(self) -> tuple[str, str]:
        """The registry's text, verbatim, and GitHub's sha of it."""
        raw = self._get(
            f"{self._repo}/contents/nix/instances.json", REGISTRY_KEPT, ref=self._settings.branch
        )
        # Over 1 MB, GitHub leaves the content out.
        return a2b_base64(raw["content"]).decode("utf-8", "replace"), str(raw["sha"])

    def object_at(self, at: str, query: str, kept: float, **variables: object) -> Mapping[str, Any]:
        """What GraphQL answers of the branch or commit `at`, kept for so many seconds; it has a
        quota of its own. LookupError or TypeError where it refuses: its status is 200, too."""
        owner, _, name = self._settings.repo.partition("/")
        asked = {"owner": owner, "name": name, "at": at, **variables}
        key = f"{_GRAPHQL} {json.dumps(asked)}"
        known, now = self.kept.answer(key), self.now
        if known and (kept == FOR_GOOD or self.kept.is_fresh(key, now, kept)):
            return _object(known)
        sent = self._ask("POST", _GRAPHQL, {"query": query, "variables": asked})
        found = _object(answer := self._accepted(sent))
        self.kept.keep(key, answer, now)
        return found

    def cancel(self, run_id: int) -> bool:
        """Whether GitHub took it; not where the run has ended."""
        answer = self._ask("POST", f"{self._actions}/runs/{run_id}/cancel", {})
        return answer.status != 409 and bool(self._accepted(answer))

    def _parsed(self, answer: Answer) -> Any:
        return json.loads(self._accepted(answer).body)

    def _ask(self, method: str, path: str, body: object = None, etag: str = "") -> Answer:
        """Asked again once with a fresh token where the token is refused."""
        token = self._token(False)
        answer = self._send(method, path, body, token, etag)
        if answer.status == 401 and (fresh := self._token(True)) != token:
            answer = self._send(method, path, body, fresh, etag)
        return answer

    def _send(self, method: str, path: str, body: object, token: str, etag: str) -> Answer:
        headers = {
            "accept": "application/vnd.github+json",
            "authorization": f"Bearer {token}",
            "content-type": "application/json",
            "user-agent": "clawbot",
            "x-github-api-version": "2026-03-10",
        }
        if etag:
            headers["if-none-match"] = etag
        raw = b"" if body is None else json.dumps(body).encode()
        answer = self._server.ask(method, path, headers, raw)
        if path == _GRAPHQL:
            return answer
        self.kept.note_quota(answer)
        if method == "POST":
            self.kept.note_change(self.now)
        return answer

    def _accepted(self, answer: Answer) -> Answer:
        """The answer, if it is no refusal; else what GitHub's refusal means for our asker."""
        if 200 <= answer.status < 300:
            return answer
        raise refusal(answer, self.shown, self.now)


def _object(answer: Answer) -> Mapping[str, Any]:
    found: Mapping[str, Any] = {**json.loads(answer.body)["data"]["repository"]["object"]}
    return found


def _end(store: Server, path: str) -> Answer:
    """The end of a file. Its size is asked first, since not every store counts from the end; one
    that knows no parts answers the whole."""
    first = store.ask("GET", path, {"range": "bytes=0-0"})
    size = first.headers.get("content-range", "").rpartition("/")[2]
    if first.status != 206 or not size.isdecimal():
        return first
    return store.ask("GET", path, {"range": f"bytes={max(0, int(size[:12]) - _LOG_END)}-"})


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
