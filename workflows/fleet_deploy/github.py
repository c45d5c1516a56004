"""The run's client of GitHub: the list of runs, which is the ledger, and the jobs of a run."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from fleet_control import github, ledger
from fleet_control.github import Request, WorkflowApi
from fleet_control.run_row import read_job
from workflows.fleet_deploy.runner import ThisRun
from workflows.fleet_deploy.stopped import Stopped

# GitHub searches no further than 1,000 runs, and ends a run after 35 days, its waiting included:
# whatever is older is over. The Lambda looks at three days and at the newest thirty, since it has
# seconds to answer in; what slips past it there is caught here, where a page more costs nothing.
MOST_PAGES = 10
OLDEST_SECONDS = 35 * 86400
# Re-runs add jobs of theirs.
MOST_JOB_PAGES = 6
TIMEOUT_SECONDS = 20
PAUSES_SECONDS = (1, 4)


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, since urllib would send the token along."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        pass


@contextmanager
def _read() -> Iterator[None]:
    """Stopped where an answer is not what GitHub's should be."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise Stopped(
            "GitHub is silent", "GitHub's list of runs has not the form it should have."
        ) from error


@dataclass(frozen=True, slots=True)
class GitHubRuns:
    """The repository's API, with the token of the job.

    Attributes:
        control_api: the number of the one account whose runs' titles are believed.
    """

    api_url: str
    token: str
    control_api: str
    sleep: Callable[[float], None] = time.sleep

    @_read()
    def runs(self, run: ThisRun, now: float) -> tuple[ledger.Run, ...]:
        """The dispatched runs of this workflow and branch, newest first; Stopped if unreadable."""
        workflow, found = self._workflow(run), dict[int, ledger.Run]()
        for page in workflow.runs(most=MOST_PAGES).pages(self._get):
            listed = list(map(workflow.read_run, page))
            found |= {one.id: one for one in listed}
            if listed and ledger.seconds(listed[-1].created) < now - OLDEST_SECONDS:
                break
        return tuple(sorted(found.values(), key=lambda one: one.id, reverse=True))

    @_read()
    def run(self, run: ThisRun) -> ledger.Run:
        """This run itself, which the list may not show yet."""
        workflow = self._workflow(run)
        return workflow.read_run(self._get(workflow.run(run.id)))

    @_read()
    def jobs(self, run: ThisRun, id_: int) -> tuple[ledger.Job, ...]:
        """The jobs of another run of this repository, of all its attempts."""
        pages = self._workflow(run).jobs(id_, "all", MOST_JOB_PAGES).pages(self._get)
        return tuple(read_job(raw).job for page in pages for raw in page)

    def _workflow(self, run: ThisRun) -> WorkflowApi:
        return WorkflowApi(run.repository, run.workflow, run.branch, self.control_api)

    def _get(self, request: Request) -> Any:
        for pause in PAUSES_SECONDS:
            try:
                return self._once(request)
            except _Busy:
                self.sleep(pause)
        return self._once(request)

    def _once(self, request: Request) -> Any:
        sent = urllib.request.Request(  # noqa: S310  (the runner names the URL, nobody else)
            self.api_url.rstrip("/") + request.path,
            headers=github.headers(self.token, "fleet-deploy"),
        )
        opener = urllib.request.build_opener(_StayHere)
        try:
            with opener.open(sent, timeout=TIMEOUT_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            kind = NotThere if error.code == HTTPStatus.NOT_FOUND else Stopped
            kind = _Busy if error.code >= 500 or error.code == 429 else kind
            raise kind("GitHub is silent", _sentence(f"{error.code} {error.reason}")) from error
        except (OSError, HTTPException, ValueError) as error:
            raise _Busy("GitHub is silent", _sentence(str(error))) from error


class NotThere(Stopped):
    """GitHub has no such run, any more at least."""


class _Busy(Stopped):
    """It may answer a moment later."""


def _sentence(said: str) -> str:
    return f"GitHub's list of runs can't be read ({said}), so I can't judge this deploy."
