"""A runner's corner: a checkout, moto as AWS, a GitHub on loopback, an engine."""

import asyncio
import json
import marshal
import shlex
import shutil
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from fleet_control import manifest
from fleet_control.deploy_jobs import MOVING_STEP, UNTOUCHED_STEP
from fleet_control.host_change import RAN
from fleet_control.ledger import Entry
from fleet_control.manifest import Manifest
from fleet_control.registry import Instance, parse
from fleet_control.run_title import TITLE_FIELDS
from fleet_control.seed import BOOT, BOOT_TAG, COMMIT_TAG
from sandbox.image import images
from sandbox.moto import MotoServer
from sandbox.run_record import CONTROL_API, PERSON, Actor
from tests.workflows import git
from tests.workflows.aws_front import AwsFront, FrontDoor, before
from tests.workflows.fleets import registry_text
from tests.workflows.hasty_time import PromptTime
from tests.workflows.loopback import TOKEN, Loopback, raw_job, raw_run, raw_step, serving
from tests.workflows.plans import (
    BUCKET,
    FLEET,
    GROUP,
    IDS,
    REGION,
    REVISION,
    SEED,
    SUBNET,
    TOLD,
    URL,
    plan,
)
from workflows.fleet_deploy.__main__ import main
from workflows.fleet_deploy.cloud import Cloud, connect
from workflows.fleet_deploy.expectation import TEMPLATE, VARIABLES
from workflows.fleet_deploy.health import DOCUMENT, SystemTime, Time
from workflows.fleet_deploy.job import Connect

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3.client import S3Client

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
OLDEST, OLD, NEW = (image.id for image in images(time.time()))
ENGINE = Path(__file__).with_name("scripted_tofu.py")
# What a roll says that each host becomes, where no test says otherwise.
MADE_OF = {"image": NEW, "revision": REVISION, "seed_sha256": SEED}


@dataclass
class LocalRunner:
    """Does one job of a run at a time, as a runner would.

    Attributes:
        environ: what every job's environment holds; a test may change it.
        clock: the jobs' time.
        connect: gives the jobs their clients.
    """

    folder: Path
    environ: dict[str, str]
    github: Loopback
    ec2: "EC2Client"
    s3: "S3Client"
    outputs: dict[str, str] = field(default_factory=dict)
    clock: Time = field(default_factory=PromptTime)
    connect: Connect = connect

    def registers(self, *ids: str) -> None:
        """From now on these are the branch's, and every image is built from that."""
        self.merges(json.loads(registry_text(ids)), time.time() - 86400)

    def merges(self, registry: Mapping[str, Any], when: float) -> str:
        """The commit by which the registry is this, with a bundle and every image of it."""
        hosts = self.folder / "nix/hosts"
        hosts.mkdir(exist_ok=True)
        for entry in registry.values():
            (hosts / f"{entry['host']}.nix").write_text("{ }\n")
        git.commit(self.folder, registry, when, "nix/hosts")
        self.builds(self.commit, OLDEST, OLD, NEW)
        for id_, entry in parse(json.dumps(registry)).items():
            self.uploads(id_, entry)
        return self.commit

    def uploads(self, id_: str, entry: Instance, *lacking: str) -> None:
        """The manifest of a bundle that holds all that this entry names but what is `lacking`."""
        names = [name for name in manifest.needed(entry) if name not in lacking]
        made = Manifest(
            instance=id_,
            bootstrap_prefix=entry.bootstrap_prefix,
            files={f"{name}.age": "0" * 64 for name in names},
            archive="0" * 64,
        )
        key = f"{entry.bootstrap_prefix}/{manifest.NAME}"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=manifest.write(made))

    @property
    def bucket(self) -> str:
        return self.environ["TF_VAR_bootstrap_bucket"]

    def builds(self, commit: str, *images: str, boot: str = BOOT) -> None:
        """These images are of that commit."""
        tags = {COMMIT_TAG: commit, BOOT_TAG: boot}
        self.ec2.create_tags(
            Resources=list(images), Tags=[{"Key": key, "Value": one} for key, one in tags.items()]
        )

    @property
    def commit(self) -> str:
        """The branch's newest."""
        return git.run(self.folder, "rev-parse", "HEAD").strip()

    def retypes(self, id_: str, instance_type: str) -> None:
        """Write another type into an entry of the registry."""
        place = self.folder / "nix/instances.json"
        entries = json.loads(place.read_text())
        entries[id_]["instanceType"] = instance_type
        place.write_text(json.dumps(entries))

    def plans(self, *changes: object, imported: tuple[object, ...] = ()) -> None:
        """What the scripted engine will plan; `imported` once something was imported."""
        place = Path(self.environ["PLAN"])
        place.write_text(self._placed(plan(*changes)))
        told = {"revision": REVISION, "seed_sha256": SEED, "user_data": TOLD}
        place.with_name("told").write_bytes(marshal.dumps(told))
        place.with_name(f"{place.name}.imported").write_text(self._placed(plan(*imported)))

    def _placed(self, planned: object) -> str:
        """A plan, in a network that there is."""
        subnet = self.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        group = self.ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        text = json.dumps(planned)
        return text.replace(IDS[SUBNET], subnet).replace(IDS[GROUP], group)

    def knows(self, *machines: tuple[str, str]) -> None:
        """What the scripted engine's state knows: each an instance and its machine."""
        resources = [
            {
                "mode": "managed",
                "type": "aws_instance",
                "name": "clawdinator",
                "index": id_,
                "values": {"id": machine},
            }
            for id_, machine in machines
        ]
        state = {"format_version": "1.0", "values": {"root_module": {"resources": resources}}}
        (self.folder / "state.json").write_text(json.dumps(state))

    def launches(self, id_: str, image: str = OLD, profile: str = "") -> str:
        """The new host's id; `profile` is the name of an instance profile."""
        tags = {"app": "clawdinator", "Name": id_, "revision": REVISION}
        made = self.ec2.run_instances(
            IamInstanceProfile={"Name": profile} if profile else {},
            ImageId=image,
            InstanceType="t3.large",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
                }
            ],
        )
        return made["Instances"][0]["InstanceId"]

    def client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]  # of no service in particular
            endpoint_url=self.environ["AWS_ENDPOINT_URL"],
            region_name=REGION,
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def makes_profile(self, name: str, path: str) -> None:
        client = self.client("iam")
        client.create_instance_profile(InstanceProfileName=name, Path=path)
        client.close()

    def hosts(self) -> dict[str, tuple[str, str]]:
        """Of each name that has a live host: its id and image."""
        paginator = self.ec2.get_paginator("describe_instances")
        return {
            tag["Value"]: (one["InstanceId"], one["ImageId"])
            for page in paginator.paginate(
                Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
            )
            for reservation in page["Reservations"]
            for one in reservation["Instances"]
            for tag in one["Tags"]
            if tag["Key"] == "Name"
        }

    def does(self, job: str, **more: str) -> int:
        """The job's exit code; what it handed to later jobs is in `outputs`."""
        environ = {"COMMIT": self.commit, **self.environ, **more}
        code = main([job], environ, self.folder, self.clock, self.connect)
        written = Path(self.environ["GITHUB_OUTPUT"])
        lines = written.read_text().splitlines() if written.exists() else []
        self.outputs = dict(line.split("=", 1) for line in lines)
        return code

    def asks(self, **asked: str) -> dict[str, str]:
        """Put a run into GitHub's list, where it waits; what its jobs find in their environment."""
        environ = self.environ | asked
        number = max((100, *(run["id"] for run in self.github.runs))) + 1
        entry = Entry(*(environ.get(name.upper(), "") for name in TITLE_FIELDS))
        # Not before the end of one that is over, which is rounded up.
        moment = max((_now(), *(run["updated_at"] for run in self.github.runs)))
        self.github.runs.insert(0, raw_run(number, entry, status="pending", moment=moment))
        return asked | {"GITHUB_RUN_ID": str(number)}

    def deploys(self, **more: str) -> int:
        """A whole run, its jobs one after the other until one fails."""
        asked = more if "GITHUB_RUN_ID" in more else self.asks(**more)
        code = self._notes(asked, "plan", "plan")
        finishes, handed = self.outputs.get("finishes"), self.handed
        for turn in json.loads(handed["ROLL"]):
            more = {**handed, **handed_to(turn), **asked}
            code = code or self._notes(more, "host", turn["name"], turn["ran"])
        if not code and finishes == "true":
            code = self._notes({**handed, **asked}, "finish", "finish")
        run = self._listed(asked)
        conclusion = "failure" if code else "success"
        run |= {"status": "completed", "conclusion": conclusion, "updated_at": _now(1)}
        return code

    @property
    def handed(self) -> dict[str, str]:
        """What `plan` hands to the jobs after it."""
        return {
            "IMAGE": self.outputs.get("image", ""),
            "ROLL": self.outputs.get("roll", "[]"),
            "TF_VAR_revision": self.outputs.get("revision", ""),
            "TF_VAR_seed_sha256": self.outputs.get("seed_sha256", ""),
        }

    def _notes(self, asked: dict[str, str], job: str, name: str, ran: str = "") -> int:
        """Do the job, and let GitHub's list of jobs hold it, and what its steps tell."""
        began = _now()
        self.outputs = {}
        Path(self.environ["GITHUB_OUTPUT"]).unlink(missing_ok=True)
        code = self.does(job, **asked)
        how = "failure" if code else "success"
        steps = {f"{RAN}{ran or 'nothing known'}": "success", MOVING_STEP: how}
        steps |= {UNTOUCHED_STEP: "success"} if self.outputs.get("untouched") else {}
        noted = raw_job(name, how, began=began, ended=_now(1))
        noted["steps"] += [raw_step(*one) for one in steps.items() if job == "host"]
        self.github.jobs.setdefault(self._listed(asked)["id"], []).append(noted)
        return code

    def _listed(self, asked: dict[str, str]) -> dict[str, Any]:
        wanted = int(asked["GITHUB_RUN_ID"])
        return next(run for run in self.github.runs if run["id"] == wanted)

    @property
    def calls(self) -> list[str]:
        """The engine's commands so far, with their options."""
        calls = Path(self.environ["CALLS"])
        return calls.read_text().splitlines() if calls.exists() else []

    @property
    def commands(self) -> list[str]:
        return [call.split(" ", 1)[0] for call in self.calls]

    @property
    def summary(self) -> str:
        return Path(self.environ["GITHUB_STEP_SUMMARY"]).read_text()


def handed_to(turn: Mapping[str, str]) -> dict[str, str]:
    """What the matrix hands to the job of this turn."""
    return {
        "INSTANCE": turn["id"],
        "IMAGE": turn["image"],
        "TF_VAR_revision": turn["revision"],
        "TF_VAR_seed_sha256": turn["seed_sha256"],
    }


def iso(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _now(more: float = 0.0) -> str:
    return iso(time.time() + more)


@pytest.fixture(scope="session")
def moto(python: Path) -> Iterator[str]:
    server = MotoServer(images(time.time()), python=python)
    url = asyncio.run(server.start())
    yield url
    asyncio.run(server.stop())


@pytest.fixture(scope="session")
def connected() -> Iterator[Connect]:
    """Connects as a job does, but once to each place: clients are a third of what a job costs."""
    made: dict[tuple[str | None, ...], Cloud] = {}

    def once(environ: Mapping[str, str], clock: Time) -> Cloud:
        names = (*KEYS, "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION")
        asked = tuple(environ.get(name) for name in names)
        if asked not in made:
            made[asked] = connect(environ, clock)
        return replace(made[asked], clock=clock)

    yield once
    for cloud in made.values():
        for client in (cloud.ec2, cloud.ssm, cloud.s3, cloud.sts, cloud.quotas):
            client.close()


@pytest.fixture
def cloud(moto: str, connected: Connect) -> Cloud:
    return connected({"AWS_ENDPOINT_URL": moto, "AWS_REGION": REGION, **KEYS}, SystemTime())


@pytest.fixture(scope="session")
def first_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every runner's begins as: to copy it is a fifth of making it."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "tofu/fleet").mkdir(parents=True)
    for name in (TEMPLATE, VARIABLES):
        shutil.copy(FLEET / name, folder / "tofu/fleet")
    git.begin(folder)
    return folder


@pytest.fixture
def runner(
    moto: str, cloud: Cloud, connected: Connect, first_checkout: Path, tmp_path: Path
) -> Iterator[LocalRunner]:
    request = urllib.request.Request(f"{moto}/moto-api/reset", method="POST")  # noqa: S310  (ours)
    with urllib.request.urlopen(request):  # noqa: S310  (the same)
        pass
    content = json.dumps({"schemaVersion": "2.2", "mainSteps": []})
    cloud.ssm.create_document(Name=DOCUMENT, DocumentType="Command", Content=content)
    with serving() as github:
        environ = _environ(tmp_path, moto, github.url)
        shutil.copytree(first_checkout, tmp_path, dirs_exist_ok=True)
        cloud.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield LocalRunner(tmp_path, environ, github, cloud.ec2, cloud.s3, connect=connected)


@pytest.fixture(scope="session")
def front_door(moto: str) -> Iterator[FrontDoor]:
    with before(moto) as door:
        yield door


@pytest.fixture
def front(runner: LocalRunner, front_door: FrontDoor) -> AwsFront:
    """Between the runner and moto."""
    front_door.front = AwsFront(runner.environ["AWS_ENDPOINT_URL"])
    runner.environ["AWS_ENDPOINT_URL"] = front_door.url
    return front_door.front


def started_by(account: Actor) -> dict[str, str]:
    """What GitHub's runner says of who started a run."""
    return {
        "GITHUB_ACTOR": account.login,
        "GITHUB_ACTOR_ID": str(account.id),
        "GITHUB_TRIGGERING_ACTOR": account.login,
    }


BY_THE_CONTROL_API = {
    "CONTROL_API_ACCOUNT": str(CONTROL_API),
    "DEPLOY_PEOPLE": str(PERSON),
    **started_by(CONTROL_API),
}


def _environ(folder: Path, moto: str, github: str) -> dict[str, str]:
    engine = folder / "tofu-launcher"
    # Imported, it is compiled once.
    start = f"import sys; sys.path.insert(0, {str(ENGINE.parent)!r}); import {ENGINE.stem} as tofu"
    python = f"{shlex.quote(sys.executable)} -IS -c {shlex.quote(f'{start}; tofu.main()')}"
    engine.write_text(f'#!/bin/sh\nexec {python} "$@"\n')
    engine.chmod(0o755)
    return {
        **KEYS,
        "PATH": "/usr/bin:/bin",
        "TARGET": "clawdinator-2",
        "AWS_ENDPOINT_URL": moto,
        "AWS_REGION": REGION,
        "CALLS": str(folder / "calls"),
        "FLEET_HEALTH_DEADLINE": "0.2",
        "FLEET_HEALTH_POLL": "0.1",
        "FLEET_STEADY_SECONDS": "0.01",
        **BY_THE_CONTROL_API,
        "GITHUB_API_URL": github,
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_REPOSITORY": "openclaw/clawdinators",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_ID": "100",
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_WORKFLOW_REF": (
            "openclaw/clawdinators/.github/workflows/fleet-deploy.yml@refs/heads/main"
        ),
        "PLAN": str(folder / "plan.json"),
        "TF_VAR_bootstrap_bucket": BUCKET,
        "TF_VAR_revision": REVISION,
        "TF_VAR_seed_sha256": SEED,
        "TF_VAR_control_api_url": URL,
        "TF_VAR_region": REGION,
        "TOFU": str(engine),
        "TOFU_LOCK_TABLE": "lock",
        "TOFU_STATE_BUCKET": "state",
    }
