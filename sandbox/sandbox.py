"""Start the whole sandbox on one machine: AWS, the Control API behind its URL, and GitHub."""

import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fleet_control.clock import Clock, SystemClock
from fleet_control.control_api import ControlApi
from fleet_control.error import RegistryUnread
from fleet_control.registry import Registry, parse
from sandbox.actions import STAND_IN, played
from sandbox.bucket import BootstrapBucket
from sandbox.desk_audit import DeskAudit
from sandbox.engine import TofuEngine
from sandbox.function_log import FunctionLog
from sandbox.function_url import FunctionUrl
from sandbox.github import GitHubApi
from sandbox.host_rules import Behaviour, Rules, Timing
from sandbox.image import images
from sandbox.moto import MotoServer, set_rules, tell
from sandbox.outside_events import OutsideEvents
from sandbox.principal import REGION
from sandbox.repository import Repository
from sandbox.run_record import CONTROL_API, PERSON
from sandbox.runner import Runner
from sandbox.runner_context import RunnerContext
from sandbox.seed import CONTROL_TABLE, LOCK_TABLE, STATE_BUCKET, Seeded, seed
from sandbox.set_up import SetUp, SetUpRequest, set_up
from sandbox.temporary_folder import own_folder
from sandbox.tofu_commands import engine_environment

CHECKOUT = Path(__file__).parents[1]
WORKFLOW = ".github/workflows/fleet-deploy.yml"
REPO = "openclaw/clawdinators"
QUICK = Timing(pending=0.8, initializing=1.2, shutting_down=1.0)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds for which a host's units have to be active, longer than one that dies lasts; between
    two looks, of a run at its host and of the bot at its run; and for which the function keeps what
    GitHub said of a run, which is over in seconds."""

    steady: float = 0.5
    run: float = 0.2
    bot: float = 0.3
    kept: float = 1.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each server listens if nobody else does; 0 for anywhere."""

    aws: int = 0
    control_api: int = 0
    github: int = 0


USUAL_PORTS = Ports(aws=8742, control_api=8743, github=8744)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """How the sandbox is to be.

    Attributes:
        registry: the file that is the registry at its source; read anew each time.
        unhealthy: instances whose next host never becomes healthy.
        ways: how each instance's next host lives, where that is not well.
        health_deadline: seconds a run waits for a host.
        pace: how long a host is watched, and how often who waits looks.
        engine: what serves as tofu in a run; a real one sets the AWS side up as well.
        say: told how far that is.
        python: the `python3` of a run's steps, and of moto.
        bot: a bot that rides no host.
        listed_after: seconds until GitHub's list of runs shows a new one.
    """

    registry: Path = CHECKOUT / "nix" / "instances.json"
    unhealthy: frozenset[str] = frozenset()
    ways: Mapping[str, Behaviour] = field(default_factory=dict)
    timing: Timing = QUICK
    health_deadline: float = 12.0
    pace: Pace = Pace()
    engine: TofuEngine | None = None
    say: Callable[[str], None] = lambda _: None
    python: Path = Path(sys.executable)
    ports: Ports = field(default_factory=Ports)
    bot: str = "demo"
    listed_after: float = 0.0


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The running sandbox. `token` is the control token."""

    options: SandboxOptions
    aws_url: str
    control_api: FunctionUrl
    control_api_url: str
    function_log: FunctionLog
    github: GitHubApi
    seeded: Seeded
    token: str
    folder: Path
    outside: OutsideEvents

    async def hosts(self) -> dict[str, dict[str, str]]:
        """What each running host says of itself, by its name: its `machine` and `revision`."""
        said: dict[str, dict[str, str]] = await tell(self.aws_url, "hosts", REGION)
        return said

    def bot_environ(self, instance: str = "") -> dict[str, str]:
        """The settings of a bot in this sandbox, riding `instance` or none."""
        key = self.seeded.chats[instance or self.options.bot]
        own = {"CLAWBOT_INSTANCE": instance} if instance else {"CLAWBOT_NAME": self.options.bot}
        return own | {
            "CLAWBOT_REGION": REGION,
            "CLAWBOT_CONTROL_API_URL": self.control_api_url,
            "CLAWBOT_CONTROL_TOKEN": self.token,
            "CLAWBOT_AWS_ACCESS_KEY_ID": key.access_key,
            "CLAWBOT_AWS_SECRET_ACCESS_KEY": key.secret_key,
            "CLAWBOT_EC2_URL": self.aws_url,
            "CLAWBOT_OPERATORS": "terminal:operator",
            "CLAWBOT_RUNNING_EVERY": str(self.options.pace.bot),
            "CLAWBOT_WAITING_EVERY": str(self.options.pace.bot),
        }


def read_registry(file: Path) -> tuple[bytes, Registry]:
    """The file's content, and the registry that it is; RegistryError if it can't be had."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise RegistryUnread(f"{file} can't be read: {error.strerror}.") from error
    return content, parse(content)


@asynccontextmanager
async def open_sandbox(
    options: SandboxOptions, clock: Clock | None = None
) -> AsyncIterator[Sandbox]:
    """Start everything; RegistryError if the registry can't be had. Ends with nothing running."""
    clock = clock or SystemClock()
    content, registry = read_registry(options.registry)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(own_folder())
        repository = Repository(CHECKOUT, options.registry, folder / "repository")
        made_of = images(clock.now(), repository.commits)
        aws = MotoServer(made_of, options.ports.aws, python=options.python)
        stack.push_async_callback(aws.stop)
        aws_url = await aws.start()
        token, github_token = secrets.token_urlsafe(24), f"github_pat_{secrets.token_hex(20)}"
        asked = SetUpRequest(
            url=aws_url,
            checkout=CHECKOUT,
            folder=folder / "set-up",
            registry=content,
            repo=REPO,
            secrets={"TF_VAR_control_token": token, "TF_VAR_github_token": github_token},
            bots=(options.bot,),
            images=made_of,
            repository=folder / "repository",
        )
        made = await (
            set_up(asked, options.engine, options.say)
            if options.engine
            else _seeded(asked, registry)
        )
        rules = Rules(options.timing, tuple(options.unhealthy), options.ways)
        await set_rules(aws_url, rules)
        seeded = made.seeded
        bucket = BootstrapBucket(aws_url, seeded.bootstrap_bucket)
        stack.callback(bucket.close)
        bucket.put_manifests(content)
        repository.uploads = bucket.put_manifests
        github = GitHubApi(
            _runner(options, clock, folder, made, aws_url, repository),
            github_token,
            options.ports.github,
        )
        github_url = await github.start()
        stack.push_async_callback(github.stop)
        function_log = FunctionLog(aws_url, clock)
        stack.push_async_callback(function_log.close)
        control_api = FunctionUrl(
            {
                **made.function,
                **seeded.function.environ,
                "GITHUB_API_URL": github_url,
                "AWS_ENDPOINT_URL": aws_url,
                "AWS_REGION": REGION,
            },
            seeded.principals,
            REGION,
            clock,
            port=options.ports.control_api,
            write=function_log.write,
            kept=options.pace.kept,
        )
        control_api_url = await control_api.start()
        stack.push_async_callback(control_api.stop)
        key = next(iter(seeded.agents.values()))

        def at_a_desk() -> ControlApi:
            signed = token, key.access_key, key.secret_key, REGION
            return ControlApi(control_api_url, *signed, clock)

        audit = DeskAudit(aws_url, function_log, at_a_desk)
        yield Sandbox(
            options=options,
            aws_url=aws_url,
            control_api=control_api,
            control_api_url=control_api_url,
            function_log=function_log,
            github=github,
            seeded=seeded,
            token=token,
            folder=folder,
            outside=OutsideEvents(aws_url, rules, repository, bucket, audit),
        )


async def _seeded(asked: SetUpRequest, registry: Registry) -> SetUp:
    """Seed the account without an engine, for the stand-in, in no time."""
    return SetUp(
        seeded=await seed(asked.url, registry, asked.images, bots=asked.bots),
        function={
            "CONTROL_API_TOKEN": asked.secrets["TF_VAR_control_token"],
            "GITHUB_TOKEN": asked.secrets["TF_VAR_github_token"],
            "GITHUB_REPO": REPO,
            "GITHUB_WORKFLOW": Path(WORKFLOW).name,
            "GITHUB_REF": "main",
            "CONTROL_API_ACCOUNT": str(CONTROL_API),
            "CONTROL_TABLE": CONTROL_TABLE,
            "LOCK_TABLE": LOCK_TABLE,
            "STATE_LOCK": f"{STATE_BUCKET}/fleet.tfstate",
        },
        variables={
            "CONTROL_API_URL": "https://control-api.sandbox.example/",
            "DEPLOY_ROLE_ARN": "arn:aws:iam::123456789012:role/fleet/control/fleet-deploy",
        },
    )


def _runner(
    options: SandboxOptions,
    clock: Clock,
    folder: Path,
    made: SetUp,
    aws_url: str,
    repository: Repository,
) -> Runner:
    stand_in = (str(options.python), *STAND_IN[1:])
    engine = (str(options.engine.program),) if options.engine else stand_in
    role = made.seeded.deployer.environ
    return Runner(
        RunnerContext(
            workflow=CHECKOUT / WORKFLOW,
            repo=REPO,
            repository=repository,
            folder=folder / "runs",
            variables={
                **made.variables,
                "AWS_REGION": REGION,
                "TOFU_STATE_BUCKET": made.seeded.state_bucket,
                "TOFU_LOCK_TABLE": made.seeded.lock_table,
                "CONTROL_TABLE": CONTROL_TABLE,
                "BOOTSTRAP_BUCKET": made.seeded.bootstrap_bucket,
                "CONTROL_API_ACCOUNT": str(CONTROL_API),
                "DEPLOY_PEOPLE": str(PERSON),
                "FLEET_HEALTH_DEADLINE": str(options.health_deadline),
                "FLEET_STEADY_SECONDS": str(options.pace.steady),
            },
            environ={
                **(engine_environment(options.engine) if options.engine else {}),
                "AWS_ENDPOINT_URL": aws_url,
                "FLEET_HEALTH_DEADLINE": str(options.health_deadline),
                "FLEET_HEALTH_POLL": str(options.pace.run),
                # What the run installs is there already; nothing leaves this machine.
                "PIP_NO_INDEX": "1",
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            },
            path=(
                str(options.python.parent),
                *os.environ.get("PATH", os.defpath).split(os.pathsep),
            ),
            actions=played(repository, engine, role, CHECKOUT),
            clock=clock,
            listed_after=options.listed_after,
        )
    )
