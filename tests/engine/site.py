"""An account as docs/set-up.md sets it up, with three hosts, and a runner beside it."""

import asyncio
import json
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from fleet_control import ec2
from fleet_control.host import HostState
from sandbox import tofu_commands
from sandbox.bucket import BootstrapBucket
from sandbox.engine import TofuEngine
from sandbox.image import images
from sandbox.moto import MotoServer
from sandbox.principal import REGION
from sandbox.seed import BOOTSTRAP_BUCKET, CONTROL_TABLE, LOCK_TABLE, STATE_BUCKET
from sandbox.tofu_commands import TofuCommands
from tests.workflows import git
from tests.workflows.conftest import BY_THE_CONTROL_API, LocalRunner
from tests.workflows.fleets import registry_text
from tests.workflows.loopback import TOKEN, serving
from workflows.fleet_deploy import cloud
from workflows.fleet_deploy.health import SystemTime

ROOT = Path(__file__).parents[2]
REPOSITORY = "openclaw/clawdinators"
ONE, TWO, THREE, FOUR = (f"clawdinator-{number}" for number in range(1, 5))
OLDEST, OLD, NEW = (image.id for image in images(time.time()))
# The administrator, who sets up.
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
SECRETS = {"TF_VAR_control_token": "the-control-token", "TF_VAR_github_token": "the-github-token"}
_ONCE = Config(retries={"total_max_attempts": 2}, s3={"addressing_style": "path"})


@dataclass
class EngineSite:
    """The account and what a test does there.

    Attributes:
        runner: does a run's jobs, as the tests of the workflow do, here with the real engine.
        first: the hosts after the first apply; other tests may have moved them since.
        made_of: the revision of that, and its seed's sum.
    """

    engine: TofuEngine
    account: TofuCommands
    runner: LocalRunner
    url: str
    first: dict[str, tuple[str, str]]
    made_of: tuple[str, str]

    def client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]  # of no service in particular
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
            config=_ONCE,
        )

    def registers(self, *ids: str, **types: str) -> None:
        """The registry as it is merged now; `types` are instance types by id, `_` for `-`."""
        registry = json.loads(registry_text(ids))
        for id_, type_ in types.items():
            registry[id_.replace("_", "-")]["instanceType"] = type_
        self.merges(registry)

    def merges(self, registry: Mapping[str, Any]) -> None:
        """The registry as it is from now on."""
        self.runner.merges(registry, time.time())

    def settles(self) -> dict[str, tuple[str, str]]:
        """Bring back a fleet of three that match their registry; its hosts."""
        self.registers(ONE, TWO, THREE)
        if set(self.runner.hosts()) != {ONE, TWO, THREE} or self.differs("fleet"):
            self.account.apply_fleet(OLD, *self.made_of)
        return self.runner.hosts()

    def differs(self, root: str) -> bool:
        """Whether the engine's next plan would change anything."""
        command = f"tofu -chdir=tofu/{root} plan -input=false -no-color -detailed-exitcode"
        more = {"TF_VAR_ami": OLD, **self.account.of_the_fleet(*self.made_of)}
        said = self.account.ask(f"{command}; test $? -ne 1", **(more if root == "fleet" else {}))
        return "No changes." not in said

    def types(self) -> dict[str, str]:
        """Instance types of live hosts by id."""
        answer = self.runner.ec2.describe_instances(
            Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
        )
        return {
            tag["Value"]: one["InstanceType"]
            for reservation in answer["Reservations"]
            for one in reservation["Instances"]
            for tag in one["Tags"]
            if tag["Key"] == "Name"
        }

    def revisions(self) -> dict[str, str]:
        """What each live host was launched as, by its tag."""
        hosts = ec2.read(self.runner.ec2, time.time()).hosts
        return {host.name: host.revision for host in hosts if host.state is HostState.RUNNING}

    def deploys(self, **asked: str) -> int:
        """A whole run; 0 if it succeeded. Each run begins with an empty summary."""
        for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
            Path(self.runner.environ[name]).unlink(missing_ok=True)
        return self.runner.deploys(**asked)


@contextmanager
def open_site(
    engine: TofuEngine, folder: Path, *, fleet: bool = True, checkout: Path = ROOT
) -> Iterator[EngineSite]:
    """Set up from nothing, by the files of that checkout: state, control, and a first fleet where
    it is wanted."""
    server = MotoServer(images(time.time()))
    url = asyncio.run(server.start())
    try:
        registry = registry_text((ONE, TWO, THREE)).encode()
        tofu_commands.lay_out(checkout, folder, registry)
        environ = tofu_commands.environment(engine, folder, url, KEYS, REPOSITORY) | SECRETS
        place = TofuCommands(folder, environ, _say)
        place.apply_state()
        place.apply_control()
        clients = cloud.connect(environ, SystemTime())
        with serving() as github:
            job = _job_environ(place, engine, url, github.url)
            git.begin(folder)
            runner = LocalRunner(folder, job, github, clients.ec2, clients.s3)
            runner.registers(ONE, TWO, THREE)
            bucket = BootstrapBucket(url, BOOTSTRAP_BUCKET)
            made_of = runner.commit, bucket.put_seed(folder, runner.commit, environ["PATH"])
            bucket.close()
            if fleet:
                place.apply_fleet(OLD, *made_of)
            yield EngineSite(engine, place, runner, url, runner.hosts(), made_of)
        clients.ec2.close()
        clients.ssm.close()
        clients.s3.close()
    finally:
        asyncio.run(server.stop())


def _job_environ(place: TofuCommands, engine: TofuEngine, url: str, github: str) -> dict[str, str]:
    folder = place.folder
    return {
        **KEYS,
        **tofu_commands.engine_environment(engine),
        "PATH": place.environ["PATH"],
        "HOME": str(folder),
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "FLEET_HEALTH_DEADLINE": "20",
        "FLEET_HEALTH_POLL": "0.1",
        "FLEET_STEADY_SECONDS": "0.1",
        **BY_THE_CONTROL_API,
        "CONTROL_TABLE": CONTROL_TABLE,
        "GITHUB_API_URL": github,
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_ID": "100",
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/fleet-deploy.yml@refs/heads/main",
        "TF_VAR_region": REGION,
        "TF_VAR_bootstrap_bucket": BOOTSTRAP_BUCKET,
        "TF_VAR_control_api_url": place.ask(tofu_commands.URL),
        "TOFU": shutil.which("tofu", path=place.environ["PATH"]) or "tofu",
        "TOFU_LOCK_TABLE": LOCK_TABLE,
        "TOFU_STATE_BUCKET": STATE_BUCKET,
    }


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
