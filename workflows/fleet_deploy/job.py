"""What every job of a deploy begins with: its environment, inputs, registry and clients."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet_control import seed
from fleet_control.caller import BotInstance
from fleet_control.error import FleetError, RegistryError
from fleet_control.ledger import Entry
from fleet_control.policy import Facts
from fleet_control.registry import Registry, parse
from fleet_control.registry_source import KnownRegistry
from fleet_control.run_title import is_image_id
from workflows.fleet_deploy import (
    engine,
    expectation,
    github_account,
    health,
    host_log,
    inputs,
    judge,
    roll,
    runner,
    summary,
)
from workflows.fleet_deploy.cloud import Cloud, FleetView
from workflows.fleet_deploy.expectation import Expectation
from workflows.fleet_deploy.roll import HostTurn
from workflows.fleet_deploy.stopped import ROOM, Stopped, brief
from workflows.fleet_deploy.violation import Violation

Connect = Callable[[Mapping[str, str], health.Time], Cloud]
REGISTRY = Path("nix/instances.json")
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class JobContext:
    """One job at work in a checkout of the repository.

    Attributes:
        environ: a runner's environment.
        accounts, starter: who may start a deploy, and who started this one.
        asked: the inputs.
        known: the registry of this checkout.
        pace: of the waiting for a host's health.
        hears: whether a host's own words may be repeated.
    """

    environ: Mapping[str, str]
    run: runner.ThisRun
    accounts: github_account.Accounts
    starter: github_account.Starter
    asked: Entry
    known: KnownRegistry
    cloud: Cloud
    engine: engine.Engine
    pace: health.Polling
    hears: bool
    clock: health.Time

    def look(self, machines: Mapping[str, str] = _NONE) -> FleetView:
        """The fleet now; Ec2Error if it can't be seen.

        `machines` are there as far as is known, each with its instance.
        """
        return self.cloud.look(self.known, machines)

    @property
    def registry(self) -> Registry:
        return self.known.registry

    @property
    def expectation(self) -> Expectation:
        """What tofu/fleet makes of what the engine is told; Stopped where that is unknown."""
        folder = self.engine.root / engine.FOLDER
        return expectation.read(self.engine.environ, folder, self.registry, self.cloud.owner())

    @property
    def hosts(self) -> health.HostHealth:
        """Whom to ask how a host is."""
        return health.HostHealth(self.cloud.ssm, self.clock, min(self.pace.poll, 2.0))


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """What `plan` handed to this job, and the whole roll; the engine has the same from the
    environment."""

    image: str
    revision: str
    seed_sha256: str
    roll: tuple[HostTurn, ...]

    def is_of(self, turn: HostTurn) -> bool:
        """Whether that is what the roll says of this host."""
        own = (self.image, self.revision, self.seed_sha256)
        return own == (turn.image, turn.revision, turn.seed_sha256)


def begin(
    environ: Mapping[str, str], root: Path, clock: health.Time, connect: Connect
) -> JobContext:
    """The context of this job, whose clients `connect` makes. The attempt is checked first, then
    who started it, then the inputs."""
    run = runner.read_run(environ)
    runner.first_attempt_only(run)
    accounts = github_account.read(environ)
    starter = github_account.starter(run, accounts)
    asked = inputs.read(environ, starter)
    registry = _registry(root)
    return JobContext(
        environ=environ,
        run=run,
        accounts=accounts,
        starter=starter,
        asked=asked,
        known=KnownRegistry(registry, environ.get("COMMIT", ""), clock.now(), fresh=True),
        cloud=connect(environ, clock),
        engine=engine.read(environ, root),
        pace=health.read_pace(environ),
        hears=host_log.is_heard(environ),
        clock=clock,
    )


def _registry(root: Path) -> Registry:
    """The registry of this checkout; Stopped where there is none that could be followed."""
    mend = f"Mend {REGISTRY} on the branch, then start a new deploy"
    try:
        return parse((root / REGISTRY).read_bytes())
    except OSError as error:
        why = f"{mend}: at this commit it can't be read ({error.strerror})."
        raise Stopped("Bad registry", why) from error
    except RegistryError as error:
        why = f"{mend}: at this commit it is not valid: {'; '.join(error.problems)}."
        raise Stopped("Bad registry", why, summary.bullets(error.problems)) from error


def planned(environ: Mapping[str, str]) -> DeployPlan:
    """What the hosts are made of, and the roll, from the environment of a later job."""
    names = ("IMAGE", "ROLL", "TF_VAR_revision", "TF_VAR_seed_sha256")
    image, turns, revision, sum_ = runner.needed(environ, *names)
    if not is_image_id(image):
        raise Stopped("Bad roll", "The image that `plan` handed over is none.")
    if not (seed.is_commit(revision) and seed.is_sum(sum_)):
        raise Stopped("Bad roll", "The revision that `plan` handed over is none, or its sum is.")
    return DeployPlan(image, revision, sum_, roll.decode(turns))


def spare_the_caller(job: JobContext, target: str) -> None:
    """Stopped where this job would move the host of the bot instance that asked, whatever `plan`
    let through."""
    if caller := job.asked.caller:
        judge.allow(BotInstance(caller), job.asked._replace(target=target), Facts())


def refuse(violations: tuple[Violation, ...]) -> None:
    """Stop before apply, naming what the plan would do beyond what was asked."""
    if violations:
        told = "Nothing was applied, the plan goes too far: "
        raise summary.stop("Guarded", told, violations)


def telling_where(job: JobContext, turns: Iterable[HostTurn], stop: Stopped) -> Stopped:
    """The same stop, saying also which hosts are on which image, as far as that can be seen.

    Where a chat has no room for both, the reason is cut, and the whole of it is in the details.
    """
    turns = tuple(turns)
    try:
        view = job.look({turn.seen: turn.id for turn in turns if turn.seen})
    except FleetError as error:
        return stop.saying(f"{stop} Where the hosts are can't be seen now: {error}")
    ids = [turn.id for turn in turns]
    unsure = [turn.id for turn in turns if turn.seen in view.unsure]
    where = roll.whereabouts(ids, view.there, unsure)
    why = brief(f"{str(stop).removesuffix('.')}.", ROOM - len(where) - len(" "))
    whole = str(stop) if why != str(stop) else ""
    details = filter(None, (whole, stop.details, summary.hosts(ids, view.there)))
    return Stopped(stop.title, f"{why} {where}", "\n\n".join(details), stop.last_words)
