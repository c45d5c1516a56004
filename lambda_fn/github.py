"""GitHub's REST API, as far as a deploy needs it."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from fleet_control import ledger
from lambda_fn import mask
from lambda_fn.budget import Budget
from lambda_fn.failure import Broken, Code
from lambda_fn.github_failure import Doubtful, broken, words
from lambda_fn.settings import Settings
from lambda_fn.wire import Answer, Unanswered, Wire

API_VERSION = "2026-03-10"
REGISTRY = "nix/instances.json"
_PAGE = 100
# A matrix holds 256 jobs, and the run has two of its own.
_MOST_PAGES = 3
_LOG_SECONDS = 4.0


class Began(NamedTuple):
    """The run a dispatch began, where GitHub says which; else a page that will show it."""

    id: int | None
    url: str


class FoundJob(NamedTuple):
    id: int
    job: ledger.Job


class GitHub:
    """One repository's Actions.

    `token(fresh)` gives GitHub's token, read anew if `fresh`; `secrets` what no answer may hold.
    """

    def __init__(
        self,
        settings: Settings,
        token: Callable[[bool], str],
        secrets: Callable[[], tuple[str, ...]],
        budget: Budget,
    ) -> None:
        self._settings = settings
        self._token = token
        self._secrets = secrets
        self.budget = budget
        self._wire = Wire(settings.api_url, budget)
        self._repo = f"/repos/{settings.repo}"
        self._workflow = f"{self._repo}/actions/workflows/{settings.workflow}"

    def close(self) -> None:
        self._wire.close()

    def shown(self, text: str) -> str:
        return mask.shown(text, self._secrets())

    def dispatch(self, entry: ledger.Entry) -> Began | None:
        """Start a run; None where GitHub does not say which (its API before 2026-03-10).

        Doubtful where it can't be known whether one was started.
        """
        answer = self._call(
            "POST",
            f"{self._workflow}/dispatches",
            {"ref": self._settings.branch, "inputs": entry._asdict()},
        )
        if answer.status == 204:
            return None
        try:
            said = json.loads(answer.body)
            return Began(int(said["workflow_run_id"]), str(said["html_url"]))
        except (ValueError, TypeError, LookupError):
            return None

    def somewhere(self) -> Began:
        """Where the runs are, for a run that can't be named."""
        url = urlsplit(self._settings.api_url)
        host = "github.com" if url.netloc == "api.github.com" else url.netloc
        return Began(
            None,
            f"{url.scheme}://{host}/{self._settings.repo}/actions/workflows/{self._settings.workflow}",
        )

    def runs(self, newest: int = _PAGE, since: float | None = None) -> Iterator[ledger.Run]:
        """The ledger, newest first: one page of `newest`, or all created since then (Unix
        seconds; 300 at most)."""
        query = {
            "event": "workflow_dispatch",
            "branch": self._settings.branch,
            "per_page": str(newest),
        }
        if since is not None:
            moment = datetime.fromtimestamp(since, UTC)
            query["created"] = f">={moment:%Y-%m-%dT%H:%M:%SZ}"
        for page in range(1, (1 if since is None else _MOST_PAGES) + 1):
            raw = self._json(f"{self._workflow}/runs?{urlencode({**query, 'page': page})}")
            with _Readable():
                runs = [ledger.read_run(run) for run in raw["workflow_runs"]]
            yield from runs
            if len(runs) < newest:
                return

    def run(self, run_id: int) -> ledger.Run:
        """One line of the ledger; a run of another workflow, event or branch is none."""
        try:
            raw = self._json(f"{self._repo}/actions/runs/{run_id}", missing=Code.UNKNOWN_RUN)
        except Broken as error:
            if error.failure.code is Code.UNKNOWN_RUN:
                raise _unknown_run(run_id) from error
            raise
        with _Readable():
            if self._ours(raw):
                return ledger.read_run(raw)
        raise _unknown_run(run_id)

    def _ours(self, raw: Mapping[str, Any]) -> bool:
        # ".github/workflows/fleet-deploy.yml", sometimes with "@<branch>" after it
        file = str(raw["path"]).partition("@")[0].rpartition("/")[2]
        return (
            self._settings.workflow in (file, str(raw.get("workflow_id")))
            and raw["event"] == "workflow_dispatch"
            and raw["head_branch"] == self._settings.branch
        )

    def jobs(self, run_id: int) -> list[FoundJob]:
        """The jobs of a run's newest attempt."""
        found: list[FoundJob] = []
        path = f"{self._repo}/actions/runs/{run_id}/jobs"
        for page in range(1, _MOST_PAGES + 1):
            raw = self._json(f"{path}?filter=latest&per_page={_PAGE}&page={page}")
            with _Readable():
                jobs = [_read_job(job) for job in raw["jobs"]]
            found += jobs
            if len(jobs) < _PAGE:
                break
        return found

    def log(self, job_id: int) -> Iterator[bytes]:
        """A job's log, line by line, as much of it as can be had in a few seconds.

        It lies on another server, which must not see our token.
        """
        budget = self.budget.part(_LOG_SECONDS)
        try:
            answer = self._answer("GET", f"{self._repo}/actions/jobs/{job_id}/logs", None)
            url = urlsplit(answer.headers.get("location") or "")
            ours = urlsplit(self._settings.api_url).scheme
            if answer.status != 302 or url.scheme not in ("https", ours):
                return
            with Wire(f"{url.scheme}://{url.netloc}", budget) as wire:
                path = url._replace(scheme="", netloc="", fragment="").geturl()
                yield from wire.lines(path, {"user-agent": "clawbot"}, _LOG_SECONDS)
        except (Broken, Unanswered, ValueError):
            return

    def registry(self) -> tuple[str, str]:
        """The registry's text, verbatim, and GitHub's sha of it."""
        raw = self._json(f"{self._repo}/contents/{REGISTRY}?ref={quote(self._settings.branch)}")
        with _Readable():
            return _decoded(raw), str(raw["sha"])

    def cancel(self, run_id: int) -> bool:
        """Whether GitHub took it; not where the run has ended."""
        answer = self._answer("POST", f"{self._repo}/actions/runs/{run_id}/cancel", {})
        if answer.status == 409:
            return False
        self._accepted(answer)
        return True

    def _json(self, path: str, missing: Code | None = None) -> Any:
        answer = self._answer("GET", path, None)
        if answer.status == 404 and missing:
            raise Broken(missing, words(answer))
        body = self._accepted(answer).body
        with _Readable():
            return json.loads(body)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        return self._accepted(self._answer(method, path, body))

    def _accepted(self, answer: Answer) -> Answer:
        if 200 <= answer.status < 300:
            return answer
        raise broken(answer, self.shown(words(answer)), self.budget.now())

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        token = self._token(False)
        answer = self._ask(method, path, body, token)
        if answer.status == 401:
            fresh = self._token(True)
            if fresh != token:
                return self._ask(method, path, body, fresh)
        return answer

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, token: str) -> Answer:
        headers = {
            "accept": "application/vnd.github+json",
            "authorization": f"Bearer {token}",
            "user-agent": "clawbot",
            "x-github-api-version": API_VERSION,
        }
        if body is not None:
            headers["content-type"] = "application/json"
        try:
            return self._wire.ask(
                method, path, headers, None if body is None else json.dumps(body).encode()
            )
        except Unanswered as error:
            kind = Doubtful if error.sent else Broken
            why = self.shown(f"GitHub can't be reached: {error}.")
            raise kind(Code.GITHUB_UNREACHABLE, why) from error


def _unknown_run(run_id: int) -> Broken:
    return Broken(Code.UNKNOWN_RUN, f"There is no deploy with the run id {run_id}.")


class _Readable:
    """Within it, what GitHub sent is taken apart; what has another form than GitHub's is told."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, (LookupError, TypeError, ValueError, AttributeError, RecursionError)):
            raise Broken(
                Code.GITHUB_UNREACHABLE,
                "What answered in GitHub's place is in no form of GitHub's.",
            ) from error


def _read_job(raw: Mapping[str, Any]) -> FoundJob:
    steps = tuple(
        ledger.Step(step["name"], step["status"], step.get("conclusion"))
        for step in raw.get("steps") or ()
    )
    return FoundJob(
        raw["id"],
        ledger.Job(
            name=raw["name"],
            status=raw["status"],
            conclusion=raw.get("conclusion"),
            started_at=raw.get("started_at"),
            completed_at=raw.get("completed_at"),
            steps=steps,
        ),
    )


def _decoded(raw: Mapping[str, Any]) -> str:
    if raw["encoding"] != "base64":
        raise ValueError("not base64: the file is over 1 MB")
    from base64 import b64decode  # noqa: PLC0415  (one action of five)

    return b64decode(raw["content"]).decode("utf-8", "replace")
