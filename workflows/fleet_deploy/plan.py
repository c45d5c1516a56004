"""`plan`: judge what was asked, resolve the image, and rehearse the whole roll once."""

import logging
import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from fleet_control import ledger
from fleet_control.caller import ALL, BotInstance, Caller
from workflows.fleet_deploy import asked, guard, judge, rivals, roll, runner, stray, summary
from workflows.fleet_deploy.cloud import Sight
from workflows.fleet_deploy.github import GitHub
from workflows.fleet_deploy.job import Job, refuse
from workflows.fleet_deploy.runner import Notice
from workflows.fleet_deploy.stop import Stopped

log = logging.getLogger(__name__)

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Past:
    """The runs beside this one, and what is asked of GitHub about them."""

    def __init__(self, github: GitHub, job: Job) -> None:
        self._github = github
        self._job = job
        self.runs = github.runs(job.run, job.clock.now())
        self.earlier = tuple(run for run in self.runs if run.id < job.run.id)
        self.others = tuple(run for run in self.runs if run.id != job.run.id)

    def jobs(self, run_id: int) -> tuple[ledger.Job, ...]:
        return self._github.jobs(self._job.run, run_id)

    def unfinished(self, caller: Caller) -> str:
        """Link to the deploy that makes a bot instance busy, or nothing."""
        if not isinstance(caller, BotInstance):
            return ""
        own = [run for run in self.runs if run.caller == caller.instance]
        if not own:
            return ""
        listed = (run for run in own if run.id == self._job.run.id)
        mine = next(listed, None) or self._github.run(self._job.run)
        request_id = self._job.asked.request_id
        other = rivals.unfinished(caller.instance, mine, request_id, own, self.jobs)
        return other.url if other else ""


def run(job: Job) -> Notice | None:
    api, token, commit = runner.needed(job.environ, "GITHUB_API_URL", "GITHUB_TOKEN", "COMMIT")
    if not _COMMIT.fullmatch(commit):
        raise Stopped("Not set up", "COMMIT is not a commit.")
    past = Past(GitHub(api, token, job.accounts.control_api.id, job.clock.sleep), job)
    judge.only_once(job.asked, job.run.id, past.runs, past.jobs)
    sight = job.look()
    caller = asked.speaker(job.asked, job.starter, job.known.registry)
    facts = judge.facts(job.asked.target, past.earlier, sight, unfinished=past.unfinished(caller))
    judge.allow(caller, job.asked, facts)
    image = judge.resolve_image(job.asked.ami_override, sight)
    turns = roll.of(
        job.asked.target,
        sight.status,
        image,
        caller=job.asked.caller,
        carrier=asked.carrier(job.asked),
    )
    turns = _rehearse(job, image, turns, sight, past)
    runner.write_outputs(
        job.environ,
        {
            "commit": commit,
            "image": image,
            "roll": roll.encode(turns),
            "target": job.asked.target,
        },
    )
    return _tell(job, image, turns, sight)


def _rehearse(
    job: Job, image: str, turns: tuple[roll.Turn, ...], sight: Sight, past: Past
) -> tuple[roll.Turn, ...]:
    """Plan all of it and apply none: what would stop the tenth host stops the first.

    The turns, each marked whose host the state forgot; its own job adopts it.
    """
    ids = [turn.id for turn in turns]
    job.engine.init()
    with TemporaryDirectory() as folder:
        planned = job.engine.plan_hosts(Path(folder).resolve() / "rehearsal", image, ids)
    forgotten = _forgotten(planned, ids, sight, past)
    machines = replace(sight.machines, live=sight.machines.live - forgotten)
    refuse(guard.rolled(planned, ids, image, machines, job.asked.caller))
    return tuple(replace(turn, adopt=turn.id in forgotten) for turn in turns)


def _forgotten(planned: object, ids: list[str], sight: Sight, past: Past) -> frozenset[str]:
    """Whose host the state forgot; Stopped where it is not surely one that a deploy left."""
    found = stray.strays(planned, ids, roll.machines(sight.there))
    for id_, machine in found.items():
        row = sight.there[id_]
        why = stray.unlike(row, sight.images)
        if not why and row.host:
            why = stray.unmade(row.host, past.others, past.jobs)
        if why:
            raise stray.refused(id_, machine, why)
        log.info("fleet.stray instance=%s machine=%s", id_, machine)
    return frozenset(found)


def _tell(job: Job, image: str, turns: tuple[roll.Turn, ...], sight: Sight) -> Notice | None:
    log.info("fleet.planned target=%s image=%s hosts=%d", job.asked.target, image, len(turns))
    alone = "" if job.asked.target == ALL else summary.left_alone(roll.left(sight.status))
    runner.write_summary(
        job.environ,
        "\n\n".join(
            part
            for part in (
                summary.asked(
                    job.asked,
                    asked.asker(job.asked, job.starter),
                    image,
                    newest=not job.asked.ami_override,
                ),
                summary.turns(turns, sight.there),
                alone and f"Left alone: {alone}",
            )
            if part
        ),
    )
    return Notice("Left alone", alone) if alone else None
