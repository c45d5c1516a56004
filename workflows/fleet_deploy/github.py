"""GitHub's list of runs, which is the ledger, and what became of one of them."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, TypeVar

from fleet_control import ledger
from workflows.fleet_deploy.runner import Run
from workflows.fleet_deploy.stop import Stopped

API_VERSION = "2026-03-10"
PER_PAGE = 100
# GitHub searches no further than 1,000 runs, and ends a run after 35 days, its waiting included:
# whatever is older is over. The Lambda looks only three days back, since it has seconds to answer
# in; what slips past it there is caught here, where a page more costs nothing.
MOST_PAGES = 10
OLDEST_SECONDS = 35 * 86400
# A matrix holds 256 jobs, and a run has two of its own; re-runs add theirs.
MOST_JOB_PAGES = 6
TIMEOUT_SECONDS = 20
PAUSES_SECONDS = (1, 4)

Shape = TypeVar("Shape")


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows nothing: urllib would carry the token along."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        del req, fp, code, msg, headers, newurl


@dataclass(frozen=True, slots=True)
class GitHub:
    """The repository's API, with the token of the job.

    Attributes:
        control_api: the number of the one account whose runs' titles are believed.
    """

    api_url: str
    token: str
    control_api: str
    sleep: Callable[[float], None] = time.sleep

    def runs(self, run: Run, now: float) -> tuple[ledger.Run, ...]:
        """The dispatched runs of this workflow and branch, newest first; Stopped if unreadable."""
        found: dict[int, ledger.Run] = {}
        for page in range(1, MOST_PAGES + 1):
            listed = self._page(run, page)
            found |= {one.id: one for one in listed}
            if len(listed) < PER_PAGE:
                break
            if ledger.seconds(listed[-1].created) < now - OLDEST_SECONDS:
                break
        return tuple(sorted(found.values(), key=lambda one: one.id, reverse=True))

    def run(self, run: Run) -> ledger.Run:
        """This run itself, which the list may not show yet."""
        return _read(self._run, self._get(f"{_actions(run)}/runs/{run.id}"))

    def jobs(self, run: Run, id_: int) -> tuple[ledger.Job, ...]:
        """The jobs of another run of this repository, of all its attempts."""
        found: list[ledger.Job] = []
        for page in range(1, MOST_JOB_PAGES + 1):
            query = urllib.parse.urlencode({"filter": "all", "per_page": PER_PAGE, "page": page})
            raw = self._get(f"{_actions(run)}/runs/{id_}/jobs?{query}")
            listed = _read(lambda raw: [_job(one) for one in raw["jobs"]], raw)
            found += listed
            if len(listed) < PER_PAGE:
                break
        return tuple(found)

    def _page(self, run: Run, page: int) -> tuple[ledger.Run, ...]:
        query = urllib.parse.urlencode(
            {
                "event": "workflow_dispatch",
                "branch": run.branch,
                "per_page": PER_PAGE,
                "page": page,
            }
        )
        raw = self._get(f"{_actions(run)}/workflows/{run.workflow}/runs?{query}")
        return _read(lambda raw: tuple(map(self._run, raw["workflow_runs"])), raw)

    def _run(self, raw: Mapping[str, Any]) -> ledger.Run:
        return ledger.read_run(raw, self.control_api)

    def _get(self, path: str) -> Any:
        for pause in PAUSES_SECONDS:
            try:
                return self._once(path)
            except _Busy:
                self.sleep(pause)
        return self._once(path)

    def _once(self, path: str) -> Any:
        request = urllib.request.Request(  # noqa: S310  (the runner names the URL, nobody else)
            self.api_url.rstrip("/") + path,
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.token}",
                "User-Agent": "fleet-deploy",
                "X-GitHub-Api-Version": API_VERSION,
            },
        )
        opener = urllib.request.build_opener(_StayHere)
        try:
            with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            kind = _Busy if error.code >= 500 or error.code == 429 else Stopped
            raise kind("GitHub is silent", _sentence(f"{error.code} {error.reason}")) from error
        except (OSError, HTTPException, ValueError) as error:
            raise _Busy("GitHub is silent", _sentence(str(error))) from error


def _actions(run: Run) -> str:
    return f"/repos/{run.repository}/actions"


def _read(reader: Callable[[Any], Shape], raw: Any) -> Shape:
    try:
        return reader(raw)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise Stopped(
            "GitHub is silent", "GitHub's list of runs has not the form it should have."
        ) from error


def _job(raw: Mapping[str, Any]) -> ledger.Job:
    """A job and its steps, as far as anybody here asks."""
    return ledger.Job(
        name=raw["name"],
        status=raw["status"],
        conclusion=raw["conclusion"],
        started_at=raw["started_at"],
        completed_at=raw["completed_at"],
        steps=tuple(
            ledger.Step(one["name"], one["status"], one["conclusion"])
            for one in raw.get("steps") or ()
        ),
    )


class _Busy(Stopped):
    """It may answer a moment later."""


def _sentence(said: str) -> str:
    return f"GitHub's list of runs can't be read ({said}), so I can't judge this deploy."
