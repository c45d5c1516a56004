"""Every command of docs/runbook.md, in order, against the sandbox."""

import asyncio
import json
import re
import shlex
import string
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import fleet_control.cli
from clawbot import cli
from clawbot.provision import boot, desk_preflight
from fleet_control.preflight import Point
from fleet_control.registry import parse
from sandbox.sandbox import CHECKOUT, Sandbox
from sandbox.seed import LOCK_TABLE, STATE_BUCKET
from sandbox.tofu.__main__ import main as stand_in
from tests.provision import uploads
from tests.provision.account import StagedAccount
from tests.provision.operator_shell import Operator, Pipe
from tests.provision.test_first_host import scratch_checkout
from tests.sandbox.full_loop import BotRun, FullLoop, full_loop

PAGE = CHECKOUT / "docs/runbook.md"
STATE = f"{STATE_BUCKET}/fleet.tfstate"
# What `tofu -chdir=tofu/control` makes of an entry, and no stand-in plays.
CONTROL_APPLY = "tofu -chdir=tofu/control apply"
# Typed on a host.
REFRESH = "clawdinator-refresh-secrets"
# The instance that the page adds, and removes.
NEW = "clawdinator-3"


@dataclass(frozen=True)
class RunbookLine:
    kind: str
    section: str
    text: str


def lines() -> Iterator[RunbookLine]:
    section, kind = "", ""
    for text in PAGE.read_text().splitlines():
        if text.startswith("## "):
            section = text.removeprefix("## ")
        elif text.startswith("```"):
            kind = text.removeprefix("```")
        elif kind and text.strip():
            yield RunbookLine(kind, section, text)


@dataclass
class RunbookReader:
    """Runs the page's commands, those of an operator and those of the host of clawdinator-1."""

    fleet: FullLoop
    operator: Operator
    monkeypatch: pytest.MonkeyPatch
    environ: dict[str, str] = field(default_factory=dict)
    tokens: int = 0

    def types(self, text: str) -> int:
        played = {CONTROL_APPLY: self._apply_control, REFRESH: self._refresh}
        if text in played:
            return played[text]()
        words = shlex.split(string.Template(text).substitute(self.environ), comments=True)
        if "=" in words[0]:
            name, _, value = words[0].partition("=")
            self.environ[name] = value
            return 0
        program, *rest = words
        match program:
            case "clawbot":
                self.tokens += 1
                self.monkeypatch.setattr("sys.stdin", Pipe(f"token-number-{self.tokens}-given\n"))
                return cli.main(rest, self.environ)
            case "fleet-control":
                return fleet_control.cli.main(rest, self.environ)
            case "tofu":
                return stand_in(rest, self.environ, Path.cwd())
            case "aws":
                return self._aws(*rest)
        raise AssertionError(f"{program} is not a program the page may name")

    def _aws(self, service: str, operation: str, *options: str) -> int:
        """As the AWS CLI makes a call of its words."""
        given = {
            name.removeprefix("--").title().replace("-", ""): value
            for name, value in zip(options[::2], options[1::2], strict=True)
        }
        if "Item" in given:
            given["Item"] = json.loads(given["Item"])
        with closing(self.operator.account.client(service)) as client:
            getattr(client, operation.replace("-", "_"))(**given)
        return 0

    def _refresh(self) -> int:
        """What the program of that name begins with, on the host of clawdinator-1."""
        root = uploads.scratch(
            self.operator.folder / "root", "bootstrap/clawdinator-1", "clawdinator-1"
        )
        account = self.operator.account
        words = ["secrets", "--refresh", "--bucket", account.bucket, "--root", str(root)]
        return boot.main(words, lambda _: account.client("s3"))

    def _apply_control(self) -> int:
        """The users of whatever is in the registry now; those of no entry go."""
        ids = parse((self.operator.checkout / "nix/instances.json").read_bytes()).ids
        with closing(self.operator.account.client("iam")) as iam:
            there = {
                user["UserName"].rpartition("-")[0]
                for user in iam.list_users(PathPrefix="/fleet/agent/")["Users"]
            }
            for id_ in there - set(ids):
                for role in ("agent", "chat"):
                    # IAM deletes no user that still has a key.
                    iam.delete_user(UserName=f"{id_}-{role}")
        self.operator.add_users(*sorted(set(ids) - there))
        return 0


def operator_in(
    sandbox: Sandbox,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Operator:
    deployer = sandbox.seeded.deployer
    keys = {
        "aws_access_key_id": deployer.access_key,
        "aws_secret_access_key": deployer.secret_key,
    }
    return Operator(folder, StagedAccount(sandbox.aws_url, keys), capsys, monkeypatch)


def environment(fleet: FullLoop, operator: Operator) -> dict[str, str]:
    sandbox = fleet.sandbox
    agent = sandbox.seeded.agents["clawdinator-1"]
    return operator.environ | {
        "FLEET_CONTROL_INSTANCE": "clawdinator-1",
        "FLEET_CONTROL_API_URL": sandbox.control_api_url,
        "FLEET_CONTROL_REGION": "eu-central-1",
        "FLEET_CONTROL_TOKEN": sandbox.token,
        "FLEET_CONTROL_AWS_ACCESS_KEY_ID": agent.access_key,
        "FLEET_CONTROL_AWS_SECRET_ACCESS_KEY": agent.secret_key,
        "FLEET_CONTROL_EC2_URL": sandbox.aws_url,
        "TF_VAR_state_bucket": STATE_BUCKET,
        "TF_VAR_lock_table": LOCK_TABLE,
        "TF_VAR_region": "eu-central-1",
    }


def lose(fleet: FullLoop, operator: Operator, id_: str) -> None:
    host = fleet.hosts()[id_].id
    with closing(operator.account.client("ec2")) as ec2:
        ec2.terminate_instances(InstanceIds=[host])


def make_roles(operator: Operator) -> None:
    """As tofu/control makes them."""
    with closing(operator.account.client("iam")) as iam:
        for role in desk_preflight.ROLES:
            iam.create_role(RoleName=role, Path="/fleet/control/", AssumeRolePolicyDocument="{}")


def lock(operator: Operator, id_: str) -> None:
    info = {"ID": id_, "Path": STATE, "Operation": "OperationTypeApply", "Who": "a killed run"}
    with closing(operator.account.client("dynamodb")) as dynamodb:
        dynamodb.put_item(
            TableName=LOCK_TABLE,
            Item={"LockID": {"S": STATE}, "Info": {"S": json.dumps(info)}},
        )


def is_locked(operator: Operator) -> bool:
    return "LockID" in _in_the_table(operator, STATE)


def digest(operator: Operator) -> object:
    return _in_the_table(operator, f"{STATE}-md5").get("Digest")


def _in_the_table(operator: Operator, id_: str) -> Mapping[str, object]:
    with closing(operator.account.client("dynamodb")) as dynamodb:
        answer = dynamodb.get_item(TableName=LOCK_TABLE, Key={"LockID": {"S": id_}})
    found: Mapping[str, object] = answer.get("Item", {})
    return found


@pytest.mark.newest
async def test_every_command_of_the_page_works_in_its_order(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    python: Path,
) -> None:
    checkout = tmp_path / "clawdinators"
    checkout.mkdir()
    scratch_checkout(checkout)
    (checkout / "tofu/fleet").mkdir(parents=True)
    monkeypatch.chdir(checkout)
    registry = checkout / "nix/instances.json"
    async with full_loop(registry, python=python) as fleet, fleet.bot() as life:
        operator = operator_in(fleet.sandbox, tmp_path, capsys, monkeypatch)
        context = RunbookReader(fleet, operator, monkeypatch, environment(fleet, operator))
        section = ""
        for line in lines():
            if line.section != section:
                section = line.section
                await asyncio.to_thread(_prepare, section, fleet, operator)
            if line.kind == "chat":
                await _said(life, line.text)
                if section == "Add an instance":
                    assert NEW in await asyncio.to_thread(fleet.hosts)
            else:
                code = await asyncio.to_thread(context.types, line.text)
                assert (line.text, code, capsys.readouterr().err) == (line.text, 0, "")
            if line.text.startswith("clawbot instance"):
                # To merge it takes longer than a bot keeps a registry.
                fleet.clock.ahead += 61

        assert not await asyncio.to_thread(is_locked, operator)
        assert await asyncio.to_thread(digest, operator) == {"S": context.environ["DIGEST"]}
        assert set(await asyncio.to_thread(fleet.hosts)) == {"clawdinator-1", "clawdinator-2"}


def _prepare(section: str, fleet: FullLoop, operator: Operator) -> None:
    """What must have happened for a section to be needed."""
    match section:
        case "Preflight":
            make_roles(operator)
        case "A lost host":
            lose(fleet, operator, "clawdinator-2")
        case "A stuck lock":
            found = re.search(r"^LOCK=(\S+)$", PAGE.read_text(), re.MULTILINE)
            assert found
            lock(operator, found[1])


async def _said(life: BotRun, text: str) -> None:
    answer = await life.say(text)
    if "deploy" in text and not text.endswith("all"):
        assert ": done" in answer, answer
    if text == "yes":
        assert "deploy all: done" in answer, answer
    if text.endswith("status"):
        assert "clawdinator-2" in answer, answer


def test_the_page_has_a_section_for_each_thing_that_happens() -> None:
    sections = {line.section for line in lines()}

    assert sections >= {
        "Preflight",
        "On the plane",
        "Add an instance",
        "Rotate the control token",
        "Rotate a Discord token",
        "New secrets without a new host",
        "A lost host",
        "A stuck lock",
        "A digest that does not match",
        "Remove an instance",
    }


def test_each_of_the_seven_points_names_those_that_show_it() -> None:
    section = PAGE.read_text().partition("## Preflight\n")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\d\. ", section, re.MULTILINE)) == 7
    listed = re.findall(r"^\d\. .*: ((?:`[^`]+`(?:, )?)+)\.$", section, re.MULTILINE)

    assert len(listed) == 7
    assert {name for names in listed for name in re.findall("`([^`]+)`", names)} <= set(Point)
    shown = [line.text for line in lines() if line.section == "Preflight"]
    assert shown[0] == "clawbot preflight"
