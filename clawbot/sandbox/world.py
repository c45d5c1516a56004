"""The whole outside world on one machine: AWS, the Control API behind its URL, and GitHub."""

import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from clawbot.sandbox.actions import STAND_IN, played
from clawbot.sandbox.ec2_timing import Ec2Timing, Timing
from clawbot.sandbox.function_url import FunctionUrl
from clawbot.sandbox.github import GitHub
from clawbot.sandbox.image import images
from clawbot.sandbox.moto import MotoServer
from clawbot.sandbox.principal import REGION, Principal
from clawbot.sandbox.repository import Repository
from clawbot.sandbox.runner import Runner, RunnerOptions
from clawbot.sandbox.seed import Seeded, seed
from fleet_control.clock import Clock, SystemClock
from fleet_control.registry import parse

CHECKOUT = Path(__file__).parents[2]
WORKFLOW = ".github/workflows/fleet-deploy.yml"
REPO = "openclaw/clawdinators"
QUICK = Timing(pending=0.8, initializing=1.2, shutting_down=1.0)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each server listens if nobody else does; 0 for anywhere."""

    moto: int = 0
    aws: int = 0
    control_api: int = 0
    github: int = 0


USUAL_PORTS = Ports(moto=8741, aws=8742, control_api=8743, github=8744)


@dataclass(frozen=True, slots=True)
class Options:
    """What sort of world.

    Attributes:
        registry: the file that is the registry at its source; read anew each time.
        unhealthy: instances whose next host never becomes healthy.
        health_deadline: seconds a run waits for a host.
        engine: the command that serves as tofu in a run.
        bot: a bot that rides no host.
    """

    registry: Path = CHECKOUT / "nix" / "instances.json"
    unhealthy: frozenset[str] = frozenset()
    timing: Timing = QUICK
    health_deadline: float = 12.0
    engine: tuple[str, ...] = STAND_IN
    ports: Ports = field(default_factory=Ports)
    bot: str = "demo"
    fail_fast: bool = True


@dataclass(frozen=True, slots=True)
class World:
    """Everything that runs. `token` is the control token."""

    options: Options
    aws: Ec2Timing
    aws_url: str
    control_api: FunctionUrl
    control_api_url: str
    github: GitHub
    seeded: Seeded
    token: str
    folder: Path

    def bot_environ(self, instance: str = "") -> dict[str, str]:
        """The settings of a bot in this world, riding `instance` or none."""
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
            "CLAWBOT_RUNNING_EVERY": "0.3",
            "CLAWBOT_WAITING_EVERY": "0.3",
        }


@asynccontextmanager
async def open_world(options: Options, clock: Clock | None = None) -> AsyncIterator[World]:
    """Start everything; RegistryError if the registry is not valid. Ends with nothing running."""
    clock = clock or SystemClock()
    registry = parse(options.registry.read_bytes())
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clawbot-sandbox-")))
        moto = MotoServer(images(clock.now()), options.ports.moto)
        moto.launch()
        stack.push_async_callback(moto.stop)
        aws = Ec2Timing(clock, options.timing, options.unhealthy, options.ports.aws)
        aws_url = await aws.start(await moto.ready())
        stack.push_async_callback(aws.stop)
        seeded = await seed(aws_url, registry, images(clock.now()), bots=(options.bot,))
        token, github_token = secrets.token_urlsafe(24), f"github_pat_{secrets.token_hex(20)}"
        github = GitHub(
            _runner(options, clock, folder, seeded, aws_url), github_token, options.ports.github
        )
        github_url = await github.start()
        stack.push_async_callback(github.stop)
        control_api = FunctionUrl(
            _function_environ(token, github_token, github_url, seeded.function),
            seeded.principals,
            REGION,
            clock,
            port=options.ports.control_api,
        )
        control_api_url = await control_api.start()
        stack.push_async_callback(control_api.stop)
        yield World(
            options, aws, aws_url, control_api, control_api_url, github, seeded, token, folder
        )


def _runner(options: Options, clock: Clock, folder: Path, seeded: Seeded, aws_url: str) -> Runner:
    repository = Repository(CHECKOUT, options.registry)
    role = {
        "AWS_ACCESS_KEY_ID": seeded.deployer.access_key,
        "AWS_SECRET_ACCESS_KEY": seeded.deployer.secret_key,
    }
    python = str(Path(sys.executable).parent)
    return Runner(
        RunnerOptions(
            workflow=CHECKOUT / WORKFLOW,
            repo=REPO,
            folder=folder / "runs",
            variables={
                "AWS_REGION": REGION,
                "DEPLOY_ROLE_ARN": "arn:aws:iam::123456789012:role/fleet/control/fleet-deploy",
                "TOFU_STATE_BUCKET": seeded.state_bucket,
                "TOFU_LOCK_TABLE": seeded.lock_table,
                "BOOTSTRAP_BUCKET": seeded.bootstrap_bucket,
                "CONTROL_API_URL": "https://control-api.sandbox.example/",
            },
            environ={
                "AWS_ENDPOINT_URL": aws_url,
                "FLEET_HEALTH_DEADLINE": str(options.health_deadline),
                "FLEET_HEALTH_POLL": "0.2",
                # What the run installs is there already; nothing leaves this machine.
                "PIP_NO_INDEX": "1",
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            },
            path=(python, *os.environ.get("PATH", os.defpath).split(os.pathsep)),
            actions=played(repository, options.engine, role, CHECKOUT),
            fail_fast=options.fail_fast,
        ),
        repository,
        clock,
    )


def _function_environ(
    token: str, github_token: str, github_url: str, role: Principal
) -> Mapping[str, str]:
    return {
        "CONTROL_API_TOKEN": token,
        "GITHUB_TOKEN": github_token,
        "GITHUB_REPO": REPO,
        "GITHUB_WORKFLOW": Path(WORKFLOW).name,
        "GITHUB_REF": "main",
        "GITHUB_API_URL": github_url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": role.access_key,
        "AWS_SECRET_ACCESS_KEY": role.secret_key,
    }


def is_checkout() -> bool:
    """Whether what is imported lies in a checkout of the repository; a wheel has no workflow."""
    return (CHECKOUT / WORKFLOW).is_file()
