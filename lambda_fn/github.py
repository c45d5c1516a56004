"""The function's client of GitHub: cached answers, a renewable token, within a call's time."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from fleet_control import github
from fleet_control.github import Paged, Request, Response, RunQueue, WorkflowApi
from fleet_control.ledger import Entry, Run, seconds
from fleet_control.roll_stop import is_under_way
from fleet_control.run_row import Listed, read_job
from fleet_control.run_title import TITLE_FIELDS
from lambda_fn.failure import Code, Failure
from lambda_fn.github_cache import GitHubCache
from lambda_fn.http_client import Budget, HttpServer
from lambda_fn.mask import shown
from lambda_fn.settings import FunctionSettings

DAY = 24 * 60 * 60  # seconds

# Most runs that wait or run are younger: GitHub ends a job after six hours. One that waits for a
# reviewer may be older, and what waits behind it: nothing passes that, so few runs are newer.
_RECENTLY = 3 * DAY
_NEWEST = 30
_HOUR = 60 * 60
# GitHub's list of runs lags a few seconds behind its dispatches.
_FIND_AFTER = (0.0, 0.5, 1.0, 1.5)
# Seconds for which what GitHub said need not be asked again; then it is asked whether it changed.
REGISTRY_KEPT = 5.0
REVISIONS_KEPT = 60.0
RUNS_KEPT = 5.0
OLDER_KEPT = 60.0
FOR_GOOD = float("inf")
# As many runs of one status as are looked at for the one under way; most wait as `pending`.
_SAME_STATUS = 5
# As much of a log as surely holds what its last step said.
_LOG_END = 256 * 1024
# By the two commands of docs/runbook.md.
_RENEWING = (
    "The Control API's token for GitHub is wrong or has ended: renew it with "
    "`clawbot secrets github`; `fleet-control runs` then shows whether GitHub takes it."
)


class GitHubClient:
    """One repository's Actions.

    `token(fresh)` gives GitHub's token, read anew if `fresh`; `safe` takes secrets out of a text.
    `spared` is the part of GitHub's quota that is not to be read from.
    """

    def __init__(
        self,
        settings: FunctionSettings,
        token: Callable[[bool], str],
        safe: Callable[[str], str],
        budget: Budget,
        cache: GitHubCache,
        spared: float,
    ) -> None:
        self.cache = cache
        self._spared = spared
        self._settings = settings
        self._token = token
        self._safe = safe
        self._budget = budget
        self._server = self._at(settings.api_url)
        self._workflow = WorkflowApi(
            settings.repo, settings.workflow, settings.branch, settings.account
        )

    def _at(self, base: str) -> HttpServer:
        return HttpServer(base, Code.GITHUB_UNREACHABLE, "GitHub", self._budget)

    def within(self, seconds: float) -> "GitHubClient":
        """The same, within so many seconds of the call."""
        part = self._budget.part(seconds)
        return GitHubClient(self._settings, self._token, self._safe, part, self.cache, self._spared)

    @property
    def branch(self) -> str:
        return self._settings.branch

    @property
    def workflow_path(self) -> str:
        return f"/repos/{self._settings.repo}/actions/workflows/{self._settings.workflow}"

    @property
    def contents_path(self) -> str:
        return f"/repos/{self._settings.repo}/contents"

    def shown(self, text: str) -> str:
        return shown(self._safe(text))

    @property
    def now(self) -> float:
        return self._budget.now()

    def dispatch(self, entry: Entry) -> tuple[int | None, str]:
        """Start a run; its id where that is known, and a page that shows it."""
        asked = self.now
        answer = self._accepted(self._ask(self._workflow.dispatch(entry)))
        return github.read_dispatch(answer) or self._find(entry, asked)

    def _find(self, entry: Entry, asked: float) -> tuple[int | None, str]:
        """The run of this ask, by its title, while there is time to look."""
        try:
            for pause in _FIND_AFTER:
                self._budget.sleep(min(pause, self._budget.left()))
                for run in self._runs(self._workflow.runs(github.since_about(asked)), kept=0):
                    if entry == tuple(getattr(run, key) for key in TITLE_FIELDS):
                        return run.id, run.url
        except (Failure, TimeoutError):
            pass
        return None, f"https://github.com/{self._settings.repo}/actions"

    def runs(self, newest: int = 0, kept: float = RUNS_KEPT) -> list[Run]:
        """The end of the ledger, newest first: so many at least, or those of the last days and
        some before, among which are all that have not ended. Whoever asks, the list is one of
        three."""
        if newest:
            size = _NEWEST if newest <= _NEWEST else github.PER_PAGE
            return self._runs(self._workflow.runs(size=size, most=1), kept)
        # By the hour, or no two looks would ask the same.
        recently = (self.now - _RECENTLY) // _HOUR * _HOUR
        found = self._runs(self._workflow.runs(github.since(recently)), kept)
        if len(found) >= _NEWEST:
            return found
        older = self.runs(_NEWEST, max(kept, OLDER_KEPT))
        return found + [run for run in older if seconds(run.created) < recently]

    def dispatched_at(self, moment: float, within: float) -> list[Run]:
        """The runs created since shortly before then (Unix seconds), until `within` later."""
        created = github.about(moment, moment + within)
        return self._runs(self._workflow.runs(created), RUNS_KEPT)

    def _runs(self, paged: Paged, kept: float) -> list[Run]:
        """Without any that has no id or no time at all, of which nothing could be said."""
        return list(self._readable(self._rows(paged, kept)))

    def _readable(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Run]:
        for raw in rows:
            with suppress(LookupError, TypeError, AttributeError):
                yield self._workflow.read_run(raw)

    def queue(self, listed: int = 1) -> RunQueue:
        """What waits or runs; so many of each status are listed."""
        return self._workflow.queue(lambda request: self._get(request, 0), listed)

    def under_way(self) -> Run | None:
        """The run that has begun and not ended, with its jobs; there is one at a time.

        GitHub may call it queued or waiting where its next job has no runner or reviewer yet.
        """
        for status in ("in_progress", "queued", "waiting"):
            listed = self._get(self._workflow.runs_of(status, _SAME_STATUS), 0)["workflow_runs"]
            for one in self._readable(listed):
                run = self.run(one.id, 0)
                run = run._replace(jobs=tuple(listed.job for listed in self.jobs(run, 0)))
                if is_under_way(run):
                    return run
        return None

    def run(self, run_id: int, kept: float = RUNS_KEPT) -> Run:
        """One line of the ledger; a run of another workflow, event or branch is none."""
        answer = self._read(self._workflow.run(run_id), kept)
        if answer.status != 404:
            raw = json.loads(self._accepted(answer).body)
            if self._workflow.has(raw):
                return self._workflow.read_run(raw)
        raise Failure(Code.UNKNOWN_RUN, f"There is no deploy with the run id {run_id}.")

    def jobs(self, run: Run, kept: float = RUNS_KEPT) -> list[Listed]:
        """The jobs of this run's newest attempt; of one that has ended, as they are now: what was
        said of them before that tells neither how it ended nor who stopped it."""
        rows = self._rows(self._workflow.jobs(run.id), 0 if run.finished else kept)
        return [read_job(raw) for raw in rows]

    def _rows(self, paged: Paged, kept: float) -> list[Mapping[str, Any]]:
        pages = paged.pages(lambda request: self._get(request, kept))
        return [row for page in pages for row in page]

    def _get(self, request: Request, kept: float) -> Any:
        return json.loads(self._accepted(self._read(request, kept)).body)

    def _read(self, request: Request, seconds: float) -> Response:
        """As it was said within so many seconds, or else as it is: GitHub does not count the
        question whether something has changed that has not."""
        path, now = request.path, self.now
        known = self.cache.answer(path)
        if known and self.cache.is_fresh(path, now, min(seconds, self.cache.longest)):
            return known
        self.cache.check_quota(self._spared, now)
        answer = self._ask(request, known.headers.get("etag", "") if known else "")
        if answer.status == 304 and known:
            answer = known
        if answer.status == 200:
            self.cache.keep(path, answer, now)
        return answer

    def look(self, request: Request) -> Response:
        """GitHub's answer as it is now, a refusal too."""
        self.cache.check_quota(self._spared, self.now)
        return self._ask(request)

    def log(self, job_id: int) -> str:
        """A job's log, of a long one the end, or nothing. It lies on another server, which must not
        see our token."""
        try:
            answer = self._ask(self._workflow.log(job_id))
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
            raw = self._get(self._workflow.annotations(job_id), 0)
            return " ".join(str(one["message"]) for one in raw)
        except (Failure, ValueError, LookupError, TypeError):
            return ""

    def registry(self) -> tuple[str, str]:
        """The registry's text, verbatim, and GitHub's sha of it."""
        return github.read_registry(self._get(self._workflow.registry(), REGISTRY_KEPT))

    def object_at(self, at: str, query: str, kept: float, **variables: object) -> Mapping[str, Any]:
        """What GraphQL answers of the branch or commit `at`, kept for so many seconds; it has a
        quota of its own. LookupError or TypeError where it refuses: its status is 200, too."""
        request = self._workflow.object_at(at, query, **variables)
        key, now = request.body.decode(), self.now
        known = self.cache.answer(key)
        if known and (kept == FOR_GOOD or self.cache.is_fresh(key, now, kept)):
            return github.read_object(known)
        answer = self._accepted(self._ask(request))
        found = github.read_object(answer)
        self.cache.keep(key, answer, now)
        return found

    def cancel(self, run_id: int) -> bool:
        """Whether GitHub took it; not where the run has ended."""
        answer = self._ask(self._workflow.cancel(run_id))
        return answer.status != 409 and bool(self._accepted(answer))

    def _ask(self, request: Request, etag: str = "") -> Response:
        """Asked again once with a fresh token where the token is refused."""
        token = self._token(False)
        answer = self._send(request, token, etag)
        if answer.status == 401 and (fresh := self._token(True)) != token:
            answer = self._send(request, fresh, etag)
        return answer

    def _send(self, request: Request, token: str, etag: str) -> Response:
        method, path, body = request
        headers = {"content-type": "application/json", **github.headers(token, "clawbot", etag)}
        answer = self._server.ask(method, path, headers, body)
        if path == github.GRAPHQL:
            return answer
        self.cache.note_limits(answer)
        if method == "POST":
            self.cache.note_change(self.now)
        return answer

    def _accepted(self, answer: Response) -> Response:
        """The answer, if it is no refusal; else what GitHub's refusal means for our asker."""
        if answer.status < 300:
            return answer
        words, wait, trouble = github.read_refusal(answer, self.shown, self.now)
        if answer.status == 401:
            words = f"{words.rstrip('.')}. {_RENEWING}"
        silent = Code.GITHUB_UNREACHABLE if trouble else Code.GITHUB_REFUSED
        raise Failure(Code.GITHUB_BUSY if wait else silent, words, wait)


def _end(store: HttpServer, path: str) -> Response:
    """The end of a file. Its size is asked first, since not every store counts from the end; one
    that knows no parts answers the whole."""
    first = store.ask("GET", path, {"range": "bytes=0-0"})
    size = first.headers.get("content-range", "").rpartition("/")[2]
    if first.status != 206 or not size.isdecimal():
        return first
    return store.ask("GET", path, {"range": f"bytes={max(0, int(size[:12]) - _LOG_END)}-"})
