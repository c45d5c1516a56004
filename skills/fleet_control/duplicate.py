"""Which of one ask's runs is its deploy: the others stop in `plan`, having touched nothing.

An ask may come to several runs, since whoever sent it may have had to send it twice. The run judges
which of them is the deploy; whoever follows one finds the same one here.

Standard library only: the Lambda carries this file.
"""

from collections.abc import Iterable
from typing import Protocol

from fleet_control.deploy_jobs import began, host_jobs
from fleet_control.ledger import Run


class RunsApi(Protocol):
    """What of the Control API's client is needed here."""

    async def run(self, run_id: int, /) -> Run: ...

    async def runs(self, *, request_id: str) -> tuple[Run, ...]: ...


def deploy_among(runs: Iterable[Run]) -> Run:
    """The deploy among the runs of one request id: the one that came to a host, or else the oldest
    that was not cancelled while it waited. A run without its jobs came to none unless it succeeded.
    """
    return min(runs, key=lambda run: (not _moved(run), _never_began(run), run.id))


def same_ask(run: Run, runs: Iterable[Run]) -> list[Run]:
    """The run itself, and the others among `runs` that have its request id."""
    return [run, *(one for one in runs if _is_twin(one, run))]


async def deploy_of(api: RunsApi, run: Run) -> Run:
    """The deploy of the ask that a run was made for; the run itself where that is still open."""
    if not run.request_id or not run.finished or _moved(run):
        return run
    twins = [one for one in await api.runs(request_id=run.request_id) if _is_twin(one, run)]
    return deploy_among([run, *[await api.run(one.id) for one in twins]])


def _is_twin(one: Run, run: Run) -> bool:
    return run.request_id != "" and one.request_id == run.request_id and one.id != run.id


def _moved(run: Run) -> bool:
    return run.conclusion == "success" or bool(host_jobs(run.jobs))


def _never_began(run: Run) -> bool:
    return run.conclusion == "cancelled" and not any(map(began, run.jobs))
