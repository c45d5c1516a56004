"""python -m workflows.fleet_deploy plan | host | finish | look."""

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fleet_control import last_words
from fleet_control.error import FleetError
from workflows.fleet_deploy import (
    cloud,
    finish_job,
    health,
    host_job,
    inputs,
    plan_job,
    runner,
    stop_check,
    summary,
)
from workflows.fleet_deploy.job import Connect, JobContext, begin
from workflows.fleet_deploy.runner import Annotation
from workflows.fleet_deploy.stopped import Stopped, brief

log = logging.getLogger(__name__)

JOBS: Mapping[str, Callable[[JobContext], tuple[Annotation, ...]]] = {
    "plan": plan_job.run,
    "host": host_job.run,
    "finish": finish_job.run,
}
LOOK = "look"


def main(
    argv: Sequence[str],
    environ: Mapping[str, str],
    root: Path,
    clock: health.Time | None = None,
    connect: Connect = cloud.connect,
) -> int:
    """Do one job in the checkout at `root`, or look whether it may begin: 0 done, 1 stopped, 2 not
    a job. `connect` makes its clients."""
    if list(argv) == [LOOK]:
        stop_check.look(environ)
        return 0
    if len(argv) != 1 or argv[0] not in JOBS:
        sys.stderr.write(f"usage: python -m workflows.fleet_deploy {' | '.join((*JOBS, LOOK))}\n")
        return 2
    request_id = inputs.request_id(environ)
    with runner.commands_stopped():
        log.info("fleet.job job=%s request_id=%s", argv[0], request_id or "none")
        said = _done(argv[0], environ, root, clock or health.SystemTime(), connect)
    told = _tell(said, environ)
    if request_id:
        runner.write_summary(environ, summary.followed(request_id))
    return told


def _tell(said: tuple[Annotation, ...] | Stopped, environ: Mapping[str, str]) -> int:
    if isinstance(said, Stopped):
        # In full to the job's summary, and to the log as far as a chat has room.
        text = summary.stopped(said.title, str(said), said.last_words, said.details)
        runner.write_summary(environ, text)
        if said.last_words:
            runner.say_notice(Annotation("Last words", last_words.told(said.last_words)))
        runner.say_error(said.title, brief(str(said)))
        return 1
    for notice in said:
        runner.say_notice(notice)
    return 0


def _done(
    job: str, environ: Mapping[str, str], root: Path, clock: health.Time, connect: Connect
) -> tuple[Annotation, ...] | Stopped:
    """The job's notices, or what stopped it."""
    try:
        return JOBS[job](begin(environ, root, clock, connect))
    except Stopped as stop:
        return stop
    except FleetError as error:
        return Stopped("Broken", str(error))
    except Exception as error:
        log.exception("fleet.broken job=%s", job)
        return Stopped("Broken", f"Something I did not expect: {type(error).__name__}.")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    sys.exit(main(sys.argv[1:], os.environ, Path.cwd()))
