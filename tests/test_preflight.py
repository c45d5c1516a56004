"""A preflight over the whole sandbox: each point broken one at a time, and mended as it advises."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import pytest_asyncio

from clawbot.bot import assemble
from clawbot.parsing import Unreadable, parse
from clawbot.requests import FreezeFor, Request, Unfreeze
from clawbot.settings import load
from clawbot.words import read
from fleet_control.cli import main
from fleet_control.command import ExitCode
from fleet_control.preflight import Check, Outcome, Point
from fleet_control.seed import BOOT, BOOT_TAG
from sandbox.github import DAY, GitHubApi
from sandbox.principal import REGION
from sandbox.sandbox import Sandbox, SandboxOptions, open_sandbox
from sandbox.seed import CONTROL_TABLE, LOCK_TABLE, STATE_BUCKET
from tests.clawbot.asked_preflight import faults, found
from tests.clawbot.bots import OPERATOR, KeptChat, ask
from tests.sandbox.full_loop import AheadClock, write_registry

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("preflight")]

IDS = ("claw-1", "claw-2")
HOST_FILE = "nix/hosts/claw-2.nix"
STATE, LOCK = f"{STATE_BUCKET}/fleet.tfstate", "0a1b2c3d-0000-4000-8000-000000000000"
NOBODY = "http://127.0.0.1:9/"
# What a bot beside the fleet can't see, and who can.
ELSEWHERE = {
    Point.SECRETS: "at a desk",
    Point.BUNDLES: "at a desk",
    Point.SEED: "at a desk",
    Point.DOCUMENT: "at a desk",
    Point.ROLES: "at a desk",
    Point.TOKENS: "at a desk",
    Point.CHANNELS: "in Discord or Telegram",
    Point.FLEET_CHANNEL: "in Discord or Telegram",
}


@dataclass
class World:
    """A sandbox, and the bot's settings where they are not those it should have."""

    sandbox: Sandbox
    clock: AheadClock
    registry: Path
    environ: dict[str, str] = field(default_factory=dict)

    async def ask(self) -> dict[str, Check]:
        """What a bot that just started is told."""
        environ = self.sandbox.bot_environ() | self.environ
        async with assemble(load(environ, self.sandbox.folder), self.clock) as bot:
            return await found(bot)

    @property
    def github(self) -> GitHubApi:
        return self.sandbox.github

    def function(self, **environ: str) -> None:
        """Set variables of the Control API."""
        self.sandbox.control_api.environ = {**self.sandbox.control_api.environ, **environ}

    def aws(self, service: str) -> Any:
        key = self.sandbox.seeded.deployer
        made: Any = boto3.client(
            service,  # type: ignore[call-overload]  # of no service in particular
            region_name=REGION,
            aws_access_key_id=key.access_key,
            aws_secret_access_key=key.secret_key,
            endpoint_url=self.sandbox.aws_url,
        )
        return made

    def pass_a_minute(self) -> None:
        """After which nobody holds what they read before for what is so now."""
        self.clock.ahead += 61


Act = Callable[[World], Awaitable[None]]


def sets(**environ: str) -> Act:
    async def act(world: World) -> None:
        world.environ = dict(environ)

    return act


def of_function(variable: str, value: str) -> tuple[Act, Act]:
    """The Control API with another value of that variable, and with the right one again."""
    kept: list[str] = []

    async def breaks(world: World) -> None:
        kept.append(world.sandbox.control_api.environ[variable])
        world.function(**{variable: value})

    async def mends(world: World) -> None:
        world.function(**{variable: kept.pop()})

    return breaks, mends


@dataclass(frozen=True)
class Fault:
    """What is broken, what the one point that tells of it advises, and doing that."""

    point: Point
    told: str
    advice: str
    breaks: Act
    mends: Act


def rights(**of: str) -> Act:
    async def act(world: World) -> None:
        world.github.rights = dict(of)

    return act


def workflow(state: str) -> Act:
    async def act(world: World) -> None:
        world.github.runner.context.state = state

    return act


def token_ends(days: float) -> Act:
    async def act(world: World) -> None:
        world.github.ends = world.clock.now() + days * DAY

    return act


def quota(limit: int) -> Act:
    async def act(world: World) -> None:
        world.github.quota.limit = limit

    return act


def clock(seconds: float) -> Act:
    """AWS's clock is moved: this machine's is every program's."""

    async def act(world: World) -> None:
        world.clock.ahead += seconds

    return act


async def breaks_registry(world: World) -> None:
    world.registry.write_text('{"claw-1": {}}')
    world.pass_a_minute()


async def mends_registry(world: World) -> None:
    write_registry(world.registry, IDS)
    world.pass_a_minute()


async def removes_host_file(world: World) -> None:
    world.sandbox.outside.repository.remove(HOST_FILE)


async def merges_host_file(world: World) -> None:
    world.sandbox.outside.repository.merge("A host", path=HOST_FILE)


def tags(change: str, *which: Mapping[str, str], newest: bool = False) -> Act:
    async def act(world: World) -> None:
        ec2 = world.aws("ec2")
        images = world.sandbox.seeded.images
        ids = [image.id for image in (images[-1:] if newest else images)]
        await asyncio.to_thread(getattr(ec2, change), Resources=ids, Tags=list(which))
        ec2.close()

    return act


def asks(request: Request) -> Act:
    """An operator asks the bot for this."""

    async def act(world: World) -> None:
        environ = world.sandbox.bot_environ()
        async with assemble(load(environ, world.sandbox.folder), world.clock) as bot:
            await bot.commands.answer(ask(OPERATOR), request, KeptChat(world.clock).reply())

    return act


async def locks(world: World) -> None:
    held = {"ID": LOCK, "Who": "sam@desk", "Created": "2026-11-27T10:00:00Z"}
    row = {"LockID": {"S": STATE}, "Info": {"S": json.dumps(held)}}
    await _in_table(world, "put_item", LOCK_TABLE, Item=row)


async def unlocks(world: World) -> None:
    """As `tofu force-unlock` does, and the run that `/fleet unlock` begins."""
    await _in_table(world, "delete_item", LOCK_TABLE, Key={"LockID": {"S": STATE}})


async def _in_table(world: World, act: str, table: str = CONTROL_TABLE, **said: Any) -> None:
    dynamodb = world.aws("dynamodb")
    await asyncio.to_thread(getattr(dynamodb, act), TableName=table, **said)
    dynamodb.close()


async def drops_table(world: World) -> None:
    await _in_table(world, "delete_table")


async def makes_table(world: World) -> None:
    await _in_table(
        world,
        "create_table",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


OURS = {"Key": "clawdinator", "Value": "true"}
KEY = "give the host or the bot the one that `nix-secrets` has"
FAULTS = {
    "no such URL": Fault(
        Point.API,
        "",
        "Its URL is what `tofu -chdir=tofu/control output control_api_url` says",
        sets(CLAWBOT_CONTROL_API_URL=NOBODY),
        sets(),
    ),
    "an old token": Fault(
        Point.TOKEN,
        "",
        "Take the token that `nix-secrets` has",
        sets(CLAWBOT_CONTROL_TOKEN="old"),
        sets(),
    ),
    "a wrong secret key": Fault(
        Point.SIGNATURE, "", KEY, sets(CLAWBOT_AWS_SECRET_ACCESS_KEY="wrong"), sets()
    ),
    "another bot's key": Fault(
        Point.SIGNATURE,
        "By its key this program is the bot `demo`, and it should be `chat:other`.",
        KEY,
        sets(CLAWBOT_NAME="other"),
        sets(),
    ),
    "a clock behind": Fault(Point.CLOCK, "", "Set this machine's clock", clock(600), clock(-600)),
    "no GitHub": Fault(
        Point.GITHUB, "", "Wait until GitHub is back", *of_function("GITHUB_API_URL", NOBODY)
    ),
    "an old GitHub token": Fault(
        Point.GITHUB_TOKEN,
        "Bad credentials",
        "Make another and renew it with `clawbot secrets github`.",
        *of_function("GITHUB_TOKEN", "old"),
    ),
    "a GitHub token that ended": Fault(
        Point.GITHUB_TOKEN,
        "Bad credentials",
        "Make another and renew it with `clawbot secrets github`.",
        token_ends(-1),
        token_ends(300),
    ),
    "a GitHub token that may not read": Fault(
        Point.GITHUB_TOKEN,
        "Resource not accessible by personal access token",
        "The token needs Actions: write and Contents: read",
        rights(actions="write"),
        rights(actions="write", contents="read"),
    ),
    "a GitHub token that may start nothing": Fault(
        Point.DISPATCH,
        "Resource not accessible by personal access token",
        "The token needs Actions: write and Contents: read",
        rights(actions="read", contents="read"),
        rights(actions="write", contents="read"),
    ),
    "a spent quota": Fault(Point.QUOTA, "", "Look again in ", quota(0), quota(5000)),
    "a disabled workflow": Fault(
        Point.WORKFLOW,
        "`fleet-deploy.yml` is disabled (disabled_manually).",
        "Enable it on its page, or by `gh workflow enable fleet-deploy.yml`.",
        workflow("disabled_manually"),
        workflow("active"),
    ),
    "no such workflow": Fault(
        Point.WORKFLOW,
        "GitHub shows the Control API's token no workflow `other.yml`",
        "Merge it to the default branch.",
        *of_function("GITHUB_WORKFLOW", "other.yml"),
    ),
    "a registry that is not valid": Fault(
        Point.REGISTRY,
        "It is not valid: ",
        "Mend `nix/instances.json` on the branch, and merge that.",
        breaks_registry,
        mends_registry,
    ),
    "a host without a file": Fault(
        Point.HOST_FILES,
        "`nix/hosts/claw-2.nix` is not on `main`.",
        "Write each as `clawbot instance add` does, and merge it.",
        removes_host_file,
        merges_host_file,
    ),
    "no EC2": Fault(Point.HOSTS, "", "Mend what it names", sets(CLAWBOT_EC2_URL=NOBODY), sets()),
    "no image of ours": Fault(
        Point.IMAGE,
        "There is no available image of ours tagged `clawdinator=true`.",
        "Start the workflow `image-build` for a new image.",
        tags("delete_tags", OURS),
        tags("create_tags", OURS),
    ),
    "an image of another contract": Fault(
        Point.IMAGE,
        "speaks the contract of boot of 0, and not of ",
        "Start the workflow `image-build` for a new image.",
        tags("create_tags", {"Key": BOOT_TAG, "Value": "0"}, newest=True),
        tags("create_tags", {"Key": BOOT_TAG, "Value": BOOT}, newest=True),
    ),
    "a frozen fleet": Fault(
        Point.FREEZE,
        "a fair",
        "`/fleet unfreeze` ends it before its time.",
        asks(FreezeFor(reason="a fair")),
        asks(Unfreeze()),
    ),
    "a lock on the state": Fault(Point.LOCK, "sam@desk", "`/fleet unlock`", locks, unlocks),
    "no control table": Fault(
        Point.TABLE, "", "apply `tofu/control` again", drops_table, makes_table
    ),
    "a Control API that knows no table": Fault(
        Point.TABLE,
        "The Control API has none: its CONTROL_TABLE is not set.",
        "Apply `tofu/control`, which makes one and names it.",
        *of_function("CONTROL_TABLE", ""),
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, python: Path) -> AsyncIterator[World]:
    registry, clock = tmp_path_factory.mktemp("source") / "instances.json", AheadClock()
    write_registry(registry, IDS)
    async with open_sandbox(SandboxOptions(registry=registry, python=python), clock) as sandbox:
        yield World(sandbox, clock, registry)


async def test_where_all_is_well_each_point_is_seen_or_says_who_sees_it(world: World) -> None:
    of = await world.ask()
    assert faults(of) == set()
    unseen = {name: one.advice for name, one in of.items() if one.outcome is Outcome.UNSEEN}
    assert {name: ELSEWHERE[Point(name)] in advice for name, advice in unseen.items()} == (
        dict.fromkeys(ELSEWHERE, True)
    )
    assert world.github.runner.listed() == []
    # Of the branch nothing is ever wrong: a deploy brings what it is ahead by.
    assert {*ELSEWHERE, *(one.point for one in FAULTS.values()), Point.BRANCH} == {*Point}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_what_is_broken_is_what_is_wrong_and_its_advice_mends_it(
    world: World, fault: Fault
) -> None:
    await fault.breaks(world)
    try:
        broken = await world.ask()
    finally:
        await fault.mends(world)
    assert faults(broken) == {fault.point}
    assert fault.told in broken[fault.point].told
    advice = broken[fault.point].advice
    assert fault.advice in advice
    said = re.findall(r"`/fleet ([^`]*)`", advice)
    assert [words for words in said if isinstance(parse(read(words)), Unreadable)] == []
    assert faults(await world.ask()) == set()


async def test_an_agent_is_told_the_same_and_its_exit_code_says_whether_anything_is_wrong(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    code, well = await _agents(world, capsys)
    assert (code, well["ok"]) == (ExitCode.OK, True)
    assert [one["name"] for one in well["checks"]] == list(Point)
    await workflow("disabled_manually")(world)
    try:
        code, ill = await _agents(world, capsys)
    finally:
        await workflow("active")(world)
    assert (code, ill["ok"]) == (ExitCode.FAILED, False)
    assert [one["name"] for one in ill["checks"] if one["outcome"] == "wrong"] == [Point.WORKFLOW]


async def _agents(world: World, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    key = world.sandbox.seeded.agents["claw-1"]
    environ = {
        "FLEET_CONTROL_ROOT": str(world.sandbox.folder),
        "FLEET_CONTROL_INSTANCE": "claw-1",
        "FLEET_CONTROL_API_URL": world.sandbox.control_api_url,
        "FLEET_CONTROL_REGION": REGION,
        "FLEET_CONTROL_TOKEN": world.sandbox.token,
        "FLEET_CONTROL_AWS_ACCESS_KEY_ID": key.access_key,
        "FLEET_CONTROL_AWS_SECRET_ACCESS_KEY": key.secret_key,
        "FLEET_CONTROL_EC2_URL": world.sandbox.aws_url,
    }
    code = await asyncio.to_thread(main, ["preflight", "--json"], environ, world.clock)
    return code, json.loads(capsys.readouterr().out)
