"""The job `plan`: judge what was asked, resolve the image, and plan the whole roll once."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from fleet_control import ledger
from fleet_control.bot_record import BotRecord
from fleet_control.caller import BotInstance, Caller
from fleet_control.deploy_jobs import PLAN
from fleet_control.error import Ec2Error
from fleet_control.policy import Facts, refused_first
from fleet_control.seed import is_commit
from workflows.fleet_deploy import (
    boot_check,
    forgotten_host,
    freeze_check,
    goal,
    guard,
    identity_conflict,
    inputs,
    judge,
    known_machines,
    launch_check,
    lost_lock,
    other_runs,
    registry_history,
    roll,
    runner,
    seed_upload,
    summary,
    unlock,
)
from workflows.fleet_deploy.cloud import FleetView
from workflows.fleet_deploy.git import Git
from workflows.fleet_deploy.github import GitHubRuns
from workflows.fleet_deploy.job import REGISTRY, JobContext, refuse
from workflows.fleet_deploy.launch import launches
from workflows.fleet_deploy.runner import Annotation
from workflows.fleet_deploy.stopped import Stopped
from workflows.fleet_deploy.target_health import TargetHealth

log = logging.getLogger(__name__)


class OtherRuns:
    """The runs beside this one, and their jobs as GitHub tells them."""

    def __init__(self, github: GitHubRuns, job: JobContext) -> None:
        self._github = github
        self._job = job
        self._jobs: dict[int, tuple[ledger.Job, ...]] = {}
        self.runs = github.runs(job.run, job.clock.now())
        self.others = tuple(run for run in self.runs if run.id != job.run.id)

    def jobs(self, run_id: int) -> tuple[ledger.Job, ...]:
        if run_id not in self._jobs:
            self._jobs[run_id] = self._github.jobs(self._job.run, run_id)
        return self._jobs[run_id]

    @property
    def mine(self) -> ledger.Run:
        """This run."""
        listed = (run for run in self.runs if run.id == self._job.run.id)
        return next(listed, None) or self._github.run(self._job.run)

    def unfinished(self, caller: Caller) -> str:
        """Link to the deploy that makes a bot instance busy, or nothing."""
        if not isinstance(caller, BotInstance):
            return ""
        own = [run for run in self.runs if run.caller == caller.instance]
        if not own:
            return ""
        request_id = self._job.asked.request_id
        other = other_runs.unfinished(caller.instance, self.mine, request_id, own, self.jobs)
        return other.url if other else ""

    def record(self, caller: Caller, target: str, facts: Facts) -> BotRecord:
        """What bots' deploys of the target came to, where that may decide."""
        if not isinstance(caller, BotInstance):
            return BotRecord()
        # What the target itself is asked about may still be let by, and then this decides.
        in_doubt = facts._replace(asked_later=True)
        if refused_first(caller, target, self._job.asked.image_or_commit, in_doubt):
            return BotRecord()
        left = max(0, judge.MOST_JOBS_IN_ALL - len(self._jobs))
        return judge.bots_record(target, self.others, facts.now, self.jobs, left)


def run(job: JobContext) -> tuple[Annotation, ...]:
    names = ("GITHUB_API_URL", "GITHUB_TOKEN", "COMMIT", "TF_VAR_bootstrap_bucket")
    api, token, commit, bucket = runner.needed(job.environ, *names)
    if not is_commit(commit):
        raise Stopped("Not set up", "COMMIT is not a commit.")
    past = OtherRuns(GitHubRuns(api, token, job.accounts.control_api.id, job.clock.sleep), job)
    judge.only_once(job.asked, job.run.id, past.runs, past.jobs)
    if job.asked.operation == ledger.Operation.UNLOCK:
        return unlock.run(job, past.others, past.jobs)
    notices = freeze_check.look(job)
    view, machines = _judged_view(job, past)
    with _untouched():
        job.hosts.refuse_an_old_control()
        git = Git(job.engine.root, job.environ)
        found = goal.GoalFinder(git, commit, view.status, past).find(job.asked)
        turns, left_out = _turns(job, found.turns, view, machines, past)
        turns, unbootable = _seeded(job, git, bucket, turns)
        notices += lost_lock.make_way(job, PLAN, past.others, past.jobs)
    with lost_lock.telling_whose(job, past.others, past.jobs):
        turns = _rehearse(job, turns, view, machines, past)
    runner.write_outputs(
        job.environ,
        {
            "commit": commit,
            # For `finish`, which only a roll has whose hosts all become the same.
            "image": turns[0].image,
            "revision": turns[0].revision,
            "seed_sha256": turns[0].seed_sha256,
            "roll": roll.encode(turns),
            "finishes": str(found.finishes).lower(),
        },
    )
    return notices + _tell(job, found, turns, view, (*left_out, *unbootable))


def _judged_view(job: JobContext, past: OtherRuns) -> tuple[FleetView, dict[str, str]]:
    """The fleet, in which the policy allows what was asked; and the machines that the state knows.

    A refusal needs no engine. What the state knows may show more than the first look did, and then
    that is judged too.
    """
    caller = inputs.speaker(job.asked, job.starter, job.registry)
    unfinished = past.unfinished(caller)
    target = TargetHealth(job)

    def allow(view: FleetView) -> None:
        facts = judge.facts(view, unfinished=unfinished)
        facts = past.record(caller, job.asked.target, facts).told(facts)
        judge.allow(caller, job.asked, *target.asked(caller, facts, view))

    allow(job.look())
    job.engine.init()
    machines = job.engine.machines()
    with _untouched():
        view = known_machines.settled(job, machines)
    allow(view)
    return view, machines


@contextmanager
def _untouched() -> Iterator[None]:
    try:
        yield
    except Ec2Error as error:
        raise Stopped("EC2 is silent", f"Nothing was touched: {error}") from error
    except Stopped as stop:
        raise stop.saying(f"Nothing was touched: {stop}") from stop


def _turns(
    job: JobContext,
    whole: tuple[roll.HostTurn, ...],
    view: FleetView,
    machines: Mapping[str, str],
    past: OtherRuns,
) -> tuple[tuple[roll.HostTurn, ...], tuple[str, ...]]:
    """The roll; and why what it would have brought along is left out."""
    caller, facts = inputs.speaker(job.asked, job.starter, job.registry), judge.facts(view)
    turns, refused = judge.brought_along(
        caller, job.asked, whole, lambda id_: past.record(caller, id_, facts).told(facts)
    )
    known_machines.one_machine_each(view, [turn.id for turn in turns], machines)
    root = job.engine.root
    said = registry_history.RegistryHistory(root, str(REGISTRY), job.environ).said
    entries = json.loads((root / REGISTRY).read_bytes())
    fleet = identity_conflict.FleetFacts(entries, view.status, machines, said)
    turns, unmade = identity_conflict.make_room(job.asked.hosts, turns, fleet)
    return turns, (*refused, *unmade)


def _seeded(
    job: JobContext, git: Git, bucket: str, turns: tuple[roll.HostTurn, ...]
) -> tuple[tuple[roll.HostTurn, ...], tuple[str, ...]]:
    """The turns whose hosts would boot, each with its seed lying where it looks; and why each other
    one is left out."""
    seeds = {one: seed_upload.of(git, one) for one in {turn.revision for turn in turns}}
    manifests = boot_check.manifests_in(job.cloud.s3, bucket)
    turns, unbootable = boot_check.bootable(job.asked.hosts, turns, seeds, job.registry, manifests)
    needed = {turn.revision for turn in turns}
    sums = {one: seed_upload.put(job.cloud.s3, bucket, seeds[one]) for one in sorted(needed)}
    return tuple(replace(turn, seed_sha256=sums[turn.revision]) for turn in turns), unbootable


def _rehearse(
    job: JobContext,
    turns: tuple[roll.HostTurn, ...],
    view: FleetView,
    machines: Mapping[str, str],
    past: OtherRuns,
) -> tuple[roll.HostTurn, ...]:
    """Plan all of it and apply none, so that what would stop the tenth host stops the first.

    The turns, each marked whose host the state forgot; its own job adopts it.
    """
    gone = [machine for turn in turns for machine, id_ in machines.items() if id_ in turn.clears]
    forgotten: set[str] = set()
    for alike in _alike(turns):
        forgotten |= _rehearse_alike(job, alike, gone, view, machines, past)
    return tuple(replace(turn, adopt=turn.id in forgotten) for turn in turns)


def _alike(turns: Iterable[roll.HostTurn]) -> Iterable[list[roll.HostTurn]]:
    """The turns by what their hosts become, which one plan has one of."""
    found: dict[tuple[str, str], list[roll.HostTurn]] = {}
    for turn in turns:
        found.setdefault((turn.image, turn.revision), []).append(turn)
    return found.values()


def _rehearse_alike(
    job: JobContext,
    turns: list[roll.HostTurn],
    gone: list[str],
    view: FleetView,
    machines: Mapping[str, str],
    past: OtherRuns,
) -> frozenset[str]:
    """Plan those whose hosts become the same; whose host the state forgot. `gone` are machines
    that are removed before."""
    first, ids = turns[0], [turn.id for turn in turns]
    job = replace(job, engine=job.engine.made_of(first.revision, first.seed_sha256))
    with TemporaryDirectory() as folder:
        planned = job.engine.plan_hosts(Path(folder).resolve() / "rehearsal", first.image, ids)
    unknown = {id_: one for id_, one in roll.machines(view.there).items() if one not in machines}
    forgotten = _forgotten(planned, ids, unknown, view, past)
    seen = replace(view.machines, live=view.machines.live - forgotten)
    with _untouched():
        expectation = job.expectation
    refuse(guard.rolled(planned, ids, first.image, seen, expectation, job.asked.caller))
    with _untouched():
        launch_check.refuse(job.cloud, launches(planned, ids), gone)
    return forgotten


def _forgotten(
    planned: object, ids: list[str], unknown: Mapping[str, str], view: FleetView, past: OtherRuns
) -> frozenset[str]:
    """Whose host the state forgot; Stopped where it is not surely one that a deploy left.

    `unknown` are the machines that the state does not know, by their instances.
    """
    found = forgotten_host.strays(planned, ids, unknown)
    for id_, machine in found.items():
        row = view.there[id_]
        why = forgotten_host.unlike(row, view.images)
        if not why and row.host:
            why = forgotten_host.unmade(row.host, past.others, past.jobs)
        if why:
            raise forgotten_host.refused(id_, machine, why)
        log.info("fleet.stray instance=%s machine=%s", id_, machine)
    return frozenset(found)


def _tell(
    job: JobContext,
    found: goal.Goal,
    turns: tuple[roll.HostTurn, ...],
    view: FleetView,
    left_out: tuple[str, ...],
) -> tuple[Annotation, ...]:
    log.info(
        "fleet.planned operation=%s target=%s image=%s revision=%s hosts=%d",
        job.asked.operation or "deploy",
        job.asked.target,
        ",".join(one.image.id for one in found.made_of),
        ",".join(one.revision.commit for one in found.made_of),
        len(turns),
    )
    alone = "" if found.finishes else summary.left_alone(roll.left(view.status))
    notices = [Annotation("Left alone", alone)] if alone else []
    notices += [*found.notices, *(Annotation("Left out", why) for why in left_out)]
    who = inputs.asker(job.asked, job.starter)
    parts = (
        summary.asked(job.asked, who, found.made_of, job.clock.now()),
        summary.turns(turns, view.there),
        *(f"{notice.title}: {notice.sentence}" for notice in notices),
    )
    runner.write_summary(job.environ, "\n\n".join(parts))
    return tuple(notices)
