"""The stand-in engine, as a deploy's run calls it: a program over EC2."""

import asyncio
import json
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fleet_control.registry import parse as parse_registry
from fleet_control.state_lock import StateLock
from sandbox.host_rules import Rules, Timing
from sandbox.image import SeededImage
from sandbox.principal import ACCOUNT
from sandbox.seed import seed
from sandbox.tofu.__main__ import main
from sandbox.tofu.plan import TofuHost, make
from tests.sandbox.aws import MotoAws
from tests.sandbox.conftest import REGISTRY
from workflows.fleet_deploy import expectation, guard
from workflows.fleet_deploy.lock import held
from workflows.fleet_deploy.state import machines_of

NEWEST = "ami-03c1a3d1000000003"
REVISION = "0123456789abcdef0123456789abcdef01234567"
TABLE = "clawdinator-tofu-lock"
LOCK = "clawdinator-tofu-state/fleet.tfstate"
BACKEND = (
    "-backend-config=bucket=clawdinator-tofu-state",
    f"-backend-config=dynamodb_table={TABLE}",
    "-backend-config=region=eu-central-1",
)
QUIET = ("-input=false", "-no-color")
ONE, TWO = (f'aws_instance.clawdinator["clawdinator-{n}"]' for n in (1, 2))


@dataclass(frozen=True)
class CommandOutput:
    code: int
    out: str
    err: str


class Checkout:
    """A repository's folder and the engine in it."""

    def __init__(self, root: Path, aws: MotoAws, python: Path) -> None:
        self._python = python
        self.root = root
        self.aws = aws
        self.registry = root / "nix" / "instances.json"
        self.environ = {
            "PYTHONPATH": ":".join(filter(None, sys.path)),
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_REGION": aws.seeded.region,
            "TF_VAR_region": aws.seeded.region,
            "TF_VAR_bootstrap_bucket": aws.seeded.bootstrap_bucket,
            "TF_VAR_control_api_url": "https://control-api.sandbox.example/",
            "TF_VAR_revision": REVISION,
            "TF_VAR_seed_sha256": "5eed" * 16,
            "AWS_ACCESS_KEY_ID": aws.seeded.deployer.access_key,
            "AWS_SECRET_ACCESS_KEY": aws.seeded.deployer.secret_key,
        }

    async def begin(self, *argv: str, python: str = sys.executable) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            python,
            "-m",
            "sandbox.tofu",
            "-chdir=tofu/fleet",
            *argv,
            cwd=self.root,
            env=self.environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *argv: str) -> CommandOutput:
        process = await self.begin(*argv, python=str(self._python))
        out, err = await process.communicate()
        return CommandOutput(process.returncode or 0, out.decode(), err.decode())

    async def plan(self, *argv: str, name: str = "p") -> Any:
        """The plan as `show -json` has it."""
        file = str(self.root / name)
        said = await self.run("plan", *QUIET, f"-out={file}", f"-var=ami={NEWEST}", *argv)
        assert (said.code, said.err) == (0, "")
        shown = await self.run("show", "-json", file)
        assert shown.code == 0
        return json.loads(shown.out)

    async def apply(self, name: str = "p") -> CommandOutput:
        return await self.run("apply", *QUIET, str(self.root / name))

    def write(self, *ids: str) -> None:
        whole = json.loads(REGISTRY)
        self.registry.write_text(
            json.dumps({id_: {**whole["clawdinator-1"], "host": id_} for id_ in ids})
        )


@pytest.fixture
async def quick(moto: str, our_images: tuple[SeededImage, ...]) -> AsyncIterator[MotoAws]:
    """The fleet on the system's clock: another process waits for it."""
    seeded = await seed(moto, parse_registry(REGISTRY), our_images)
    with MotoAws(moto, seeded, Rules()) as aws:
        await aws.rule(timing=Timing(pending=0.2, initializing=0.2, shutting_down=0.2))
        yield aws


@pytest.fixture
async def checkout(quick: MotoAws, tmp_path: Path, python: Path) -> Checkout:
    shutil.copytree(Path(__file__).parents[2] / "tofu" / "fleet", tmp_path / "tofu" / "fleet")
    checkout = Checkout(tmp_path, quick, python)
    checkout.registry.parent.mkdir()
    checkout.registry.write_text(REGISTRY)
    assert (await checkout.run("init", *QUIET, *BACKEND)).code == 0
    return checkout


def actions(plan: Any) -> dict[str, list[str]]:
    return {
        one["address"]: one["change"]["actions"]
        for one in plan["resource_changes"]
        if one["type"] == "aws_instance"
    }


async def test_one_host_is_replaced_and_no_other(checkout: Checkout) -> None:
    aws = checkout.aws
    one, two = aws.seeded.hosts

    plan = await checkout.plan(f"-replace={TWO}", f"-target={TWO}")
    said = await checkout.apply()

    assert actions(plan) == {TWO: ["delete", "create"]}
    assert (said.code, said.err) == (0, "")
    hosts = await aws.hosts()
    (new,) = hosts.keys() - {one.id, two.id}
    assert hosts[one.id]["State"]["Name"] == hosts[new]["State"]["Name"] == "running"
    assert hosts[two.id]["State"]["Name"] == "terminated"
    assert (hosts[new]["ImageId"], hosts[new]["InstanceType"]) == (NEWEST, "t3.small")
    lines = [line.split(" after ")[0].split(" [id=")[0] for line in said.out.splitlines() if line]
    assert lines == [
        f"{TWO}: Destroying...",
        f"{TWO}: Destruction complete",
        f"{TWO}: Creating...",
        f"{TWO}: Creation complete",
        "Apply complete! Resources: 1 added, 0 changed, 1 destroyed.",
    ]


async def test_the_guard_of_a_run_reads_its_plans(checkout: Checkout) -> None:
    hosts = {host.id: host.name for host in checkout.aws.seeded.hosts}
    machines = guard.Machines(hosts, frozenset(hosts.values()))
    plan = await checkout.plan(f"-replace={TWO}", f"-target={TWO}")
    made = expectation.read(
        checkout.environ,
        checkout.root / "tofu" / "fleet",
        parse_registry(REGISTRY),
        expectation.AwsAccount("aws", ACCOUNT),
    )

    assert guard.rolled(plan, ["clawdinator-2"], NEWEST, machines, made) == ()
    assert len(guard.rolled(plan, ["clawdinator-1"], NEWEST, machines, made)) == 2


async def test_whatever_else_was_planned_a_stale_plan_is_refused(checkout: Checkout) -> None:
    _, two = (host.id for host in checkout.aws.seeded.hosts)
    await checkout.plan(f"-replace={TWO}", f"-target={TWO}")
    await checkout.plan(f"-replace={ONE}", f"-target={ONE}", name="other")
    assert (await checkout.apply("other")).code == 0

    said = await checkout.apply()

    assert said.code == 1
    assert "Error: Saved plan is stale" in said.err
    assert (await checkout.aws.states())[two] == "running"


async def known(checkout: Checkout) -> dict[str, str]:
    shown = await checkout.run("show", "-json")
    assert shown.code == 0
    return machines_of(json.loads(shown.out))


async def test_the_state_is_what_was_last_written_whatever_ec2_shows(checkout: Checkout) -> None:
    one, two = checkout.aws.seeded.hosts
    assert await known(checkout) == {one.id: one.name, two.id: two.name}

    await checkout.aws.terminate(two.id)
    plan = await checkout.plan(f"-replace={TWO}", f"-target={TWO}")
    assert actions(plan) == {TWO: ["create"]}
    assert await known(checkout) == {one.id: one.name, two.id: two.name}

    assert (await checkout.apply()).code == 0
    hosts = await checkout.aws.states()
    (new,) = hosts.keys() - {one.id, two.id}
    assert await known(checkout) == {one.id: one.name, new: two.name}


async def test_a_state_that_was_never_written_knows_no_machine(checkout: Checkout) -> None:
    bucket = checkout.aws.seeded.state_bucket
    await checkout.aws.ask("s3", "delete_object", Bucket=bucket, Key="fleet.tfstate")

    assert await known(checkout) == {}
    assert set(actions(await checkout.plan())) == {ONE, TWO}


async def test_a_plan_of_everything_forgets_what_ec2_does_not_show(checkout: Checkout) -> None:
    """As the real one's refresh does, of a host that left the registry too."""
    one, two = checkout.aws.seeded.hosts
    checkout.write("clawdinator-1")
    await checkout.aws.terminate(two.id)

    plan = await checkout.plan()
    assert (await checkout.apply()).code == 0

    assert actions(plan) == {ONE: ["no-op"]}
    assert await known(checkout) == {one.id: one.name}


async def test_an_image_that_is_not_there_is_refused_by_ec2_and_the_host_stays_away(
    checkout: Checkout,
) -> None:
    missing = "ami-00000000000000000"
    file = str(checkout.root / "p")
    await checkout.run("plan", f"-out={file}", f"-var=ami={missing}", f"-replace={TWO}")

    said = await checkout.apply()

    assert said.code == 1
    assert "InvalidAMIID.NotFound" in said.err
    states = await checkout.aws.states()
    assert sorted(states.values()) == ["running", "terminated"]
    assert set(await known(checkout)) == {id_ for id_, one in states.items() if one == "running"}


async def test_a_lock_that_lies_there_is_named_and_then_broken(checkout: Checkout) -> None:
    """As the real one writes it down, and in its words."""
    id_ = "58d37025-9e5d-84b9-3b3e-caf4e1313b1b"
    lock = {
        "ID": id_,
        "Operation": "OperationTypeApply",
        "Info": "",
        "Who": "sam@laptop",
        "Version": "1.12.6",
        "Created": "2026-11-24T08:00:00.25926588Z",
        "Path": LOCK,
    }
    item = {"LockID": {"S": LOCK}, "Info": {"S": json.dumps(lock)}}
    await checkout.aws.ask("dynamodb", "put_item", TableName=TABLE, Item=item)
    unlock = ("force-unlock", "-no-color", "-force")

    refused = await checkout.run(*unlock, "whose")
    broken = await checkout.run(*unlock, id_)
    gone = await checkout.run(*unlock, id_)

    assert (refused.code, broken.code, gone.code) == (1, 0, 1)
    assert 'Failed to unlock state: lock id "whose" does not match existing lock' in refused.err
    named = StateLock(id_, "sam@laptop", 1795507200.0)
    assert held(line.strip() for line in refused.err.splitlines()) == named
    assert f'no lock info found for: "{LOCK}"' in gone.err
    assert (await checkout.aws.ask("dynamodb", "scan", TableName=TABLE))["Items"] == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_ended_midway_it_leaves_the_hosts_as_they_are(
    checkout: Checkout, how: signal.Signals
) -> None:
    await checkout.plan(f"-replace={TWO}", f"-target={TWO}")
    process = await checkout.begin("apply", *QUIET, str(checkout.root / "p"))
    assert process.stdout
    while b"Creating..." not in await process.stdout.readline():
        pass

    process.send_signal(how)
    await process.communicate()

    assert process.returncode != 0
    assert (await checkout.aws.states())[checkout.aws.seeded.hosts[0].id] == "running"


async def test_what_left_the_registry_is_destroyed_and_what_came_is_created(
    checkout: Checkout,
) -> None:
    checkout.write("clawdinator-2", "clawdinator-babelfish")

    plan = await checkout.plan()
    said = await checkout.apply()

    assert said.code == 0
    assert actions(plan) == {
        ONE: ["delete"],
        TWO: ["no-op"],
        'aws_instance.clawdinator["clawdinator-babelfish"]': ["create"],
    }
    assert sorted((await checkout.aws.states()).values()) == ["running", "running", "terminated"]
    again = await checkout.run("plan", *QUIET, f"-var=ami={NEWEST}")
    assert "No changes." in again.out


async def test_without_init_there_is_no_plan(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / "tofu" / "fleet" / ".terraform")

    said = await checkout.run("plan", *QUIET, f"-var=ami={NEWEST}")

    assert said.code == 1
    assert "Backend initialization required" in said.err


HOSTS = {"a": TofuHost("i-a", "ami-old", "t3.large"), "b": TofuHost("i-b", "ami-old", "t3.large")}
TYPES = {"a": "t3.large", "b": "t3.small"}


def moved(replace: set[str], targets: set[str]) -> dict[str, str]:
    known = {name: host.id for name, host in HOSTS.items()}
    plan = make(TYPES, known, HOSTS, "ami-new", replace, targets)
    return {change.name: "+".join(change.actions) for change in plan.changes}


def test_another_image_or_type_alone_moves_nothing() -> None:
    assert moved(set(), set()) == {"a": "no-op", "b": "no-op"}


def test_a_replacement_of_what_is_not_there_is_silently_nothing() -> None:
    assert moved({'aws_instance.clawdinator["nope"]'}, set()) == {"a": "no-op", "b": "no-op"}


def test_a_replacement_outside_the_targets_is_nothing() -> None:
    b = 'aws_instance.clawdinator["b"]'

    assert moved({b}, {'aws_instance.clawdinator["a"]'}) == {"a": "no-op"}
    assert moved({b}, {b, 'aws_iam_role.instance["b"]'}) == {"b": "delete+create"}
    assert moved(set(), {'aws_iam_role.instance["b"]'}) == {}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ((), "required: command"),
        (("destroy",), "invalid choice: 'destroy'"),
        (("plan", "-var=ami=a", "-destroy"), "unrecognized arguments: -destroy"),
        (("plan", "-var=ami=a", "-out"), "-out: expected one argument"),
        (("plan", "-var=ami=a", "-no-color=yes"), "-no-color: ignored explicit argument 'yes'"),
        (("plan", "-var=ami=a", "-input=true"), "-input: invalid choice: 'true'"),
        (("plan",), "required: -var"),
        (("apply", "-auto-approve", "p"), "unrecognized arguments: -auto-approve"),
        (("apply",), "required: file"),
        (("plan", "-var=ami=a", "extra"), "unrecognized arguments: extra"),
        (("show", "p"), "required: -json"),
        (("force-unlock", "id"), "required: -force"),
    ],
)
def test_what_a_run_does_not_ask_is_an_error_that_names_it(
    argv: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(argv, {}, tmp_path)

    assert words in capsys.readouterr().err
