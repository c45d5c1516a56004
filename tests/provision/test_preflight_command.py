"""`clawbot preflight`: what an operator sees at a desk, each thing broken by itself."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass

import pytest

from clawbot.provision import desk_preflight
from clawbot.provision.command import main
from clawbot.provision.control_log import FUNCTION
from fleet_control.preflight import Point
from sandbox.seed import CONTROL_TABLE, DOCUMENT
from tests.clawbot.control_api import Api, control_api
from tests.clock import TurnedClock
from tests.provision.account import unauthenticated
from tests.provision.operator_shell import REGISTRY, CommandResult, Operator, token, token_name
from tests.static.configuration import ROOT

COMMIT = "a" * 40
BY_THE_API = (
    *(Point.GITHUB, Point.GITHUB_TOKEN, Point.QUOTA, Point.WORKFLOW, Point.DISPATCH),
    *(Point.FREEZE, Point.LOCK, Point.HOST_FILES, Point.TABLE),
)


@dataclass(frozen=True)
class Desk:
    """An operator, and the Control API that is asked."""

    operator: Operator
    api: Api

    async def looks(self, **environ: str) -> CommandResult:
        known = self.operator.environ | {"FLEET_CONTROL_API_URL": self.api.url} | environ
        words = ["preflight", "--checkout", str(self.operator.checkout)]
        code = await asyncio.to_thread(main, words, known)
        return CommandResult(code, *self.operator.capsys.readouterr())


@pytest.fixture
async def desk(operator: Operator) -> AsyncIterator[Desk]:
    """All that a deploy needs is there."""
    await asyncio.to_thread(_set_up, operator)
    async with control_api(TurnedClock()) as (api, _):
        api.registry = json.dumps(REGISTRY)
        api.revisions = [{"commit": COMMIT, "subject": "", "committed": "2026-11-20T08:00:00Z"}]
        api.signer = "agent:clawdinator-1"
        api.checks = [
            {"name": point, "outcome": "ok", "told": "Well.", "advice": ""} for point in BY_THE_API
        ]
        yield Desk(operator, api)


def _set_up(operator: Operator) -> None:
    operator.make_secrets()
    operator.does("secrets", "sync")
    operator.does("bundle", "upload", "all")
    account = operator.account
    with closing(account.client("ssm")) as ssm:
        content = json.dumps({"schemaVersion": "2.2", "mainSteps": []})
        ssm.create_document(Name=DOCUMENT, DocumentType="Command", Content=content)
    with closing(account.client("dynamodb")) as dynamodb:
        dynamodb.create_table(
            TableName=CONTROL_TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    with closing(account.client("iam")) as iam:
        for role in desk_preflight.ROLES:
            iam.create_role(RoleName=role, Path="/fleet/control/", AssumeRolePolicyDocument="{}")


def points(said: CommandResult, mark: str) -> set[str]:
    """The names behind that mark; what is unseen for one reason is in one line."""
    rows = (line.removeprefix(f"{mark} ") for line in lines(said) if line.startswith(f"{mark} "))
    return {name for row in rows for name in row.partition(": ")[0].split(", ")}


def lines(said: CommandResult) -> list[str]:
    return said.out.splitlines()


async def test_all_is_well(desk: Desk) -> None:
    said = await desk.looks()

    assert points(said, "✗") == set()
    assert points(said, "?") == {Point.CHANNELS, Point.FLEET_CHANNEL}
    assert points(said, "✓") == set(Point) - {Point.CHANNELS, Point.FLEET_CHANNEL}
    assert lines(said)[:2] == [
        "Looking, for 10 seconds at the most.",
        "Ready, as far as can be seen from here.",
    ]
    assert (said.code, said.err) == (0, "")
    assert token("1") not in said.out


def _lose_a_secret(operator: Operator) -> None:
    (operator.folder / f"nix-secrets/{token_name('2')}.age").unlink()


def _change_a_secret(operator: Operator) -> None:
    """Taken in and uploaded, but not brought to its copy in S3."""
    operator.does("secrets", "take", token_name("2"), given="another-token-of-number-2\n")
    operator.does("bundle", "upload", "all")


def _keep_old_bundles(operator: Operator) -> None:
    operator.does("secrets", "take", token_name("2"), given="another-token-of-number-2\n")
    operator.does("secrets", "sync")


def _share_a_token(operator: Operator) -> None:
    """Past the command, which refuses it."""
    folder = operator.secrets
    readers = {operator.identity.recipient, folder.recipients.instances["clawdinator-2"]}
    folder.write(token_name("2"), token("1").encode(), readers)
    operator.does("secrets", "sync")


def _delete_document(operator: Operator) -> None:
    with closing(operator.account.client("ssm")) as ssm:
        ssm.delete_document(Name=DOCUMENT)


def _delete_table(operator: Operator) -> None:
    with closing(operator.account.client("dynamodb")) as dynamodb:
        dynamodb.delete_table(TableName=CONTROL_TABLE)


def _delete_role(operator: Operator) -> None:
    with closing(operator.account.client("iam")) as iam:
        iam.delete_role(RoleName="fleet-deploy")


def _rename_user(operator: Operator) -> None:
    with closing(operator.account.client("iam")) as iam:
        iam.update_user(UserName="clawdinator-2-chat", NewPath="/people/")


def _put_a_seed(operator: Operator) -> None:
    with closing(operator.account.client("s3")) as s3:
        s3.put_object(Bucket=operator.account.bucket, Key=f"seeds/{COMMIT}.tar.zst", Body=b"x")


@pytest.mark.parametrize(
    ("breaks", "wrong", "told"),
    [
        (_lose_a_secret, Point.SECRETS, "clawdinator-discord-token-2.age is missing"),
        (_change_a_secret, Point.SECRETS, "clawdinator-discord-token-2.age in S3 is stale."),
        (_keep_old_bundles, Point.BUNDLES, "secrets.tar.zst is stale."),
        (_share_a_token, Point.TOKENS, "holds the token of clawdinator-"),
        (_delete_document, Point.DOCUMENT, "The document `clawdinator-health` is not there."),
        (_delete_table, Point.TABLE, "The table `clawdinator-control` is not there."),
        (_delete_role, Point.ROLES, "There is no role `fleet-deploy`."),
        (_rename_user, Point.ROLES, "There is no user `clawdinator-2-chat`."),
        (_put_a_seed, Point.SEED, f"No run put `seeds/{COMMIT}.tar.zst` there"),
    ],
)
async def test_one_thing_is_wrong(
    desk: Desk, breaks: Callable[[Operator], None], wrong: Point, told: str
) -> None:
    await asyncio.to_thread(breaks, desk.operator)

    said = await desk.looks()

    assert points(said, "✗") == {wrong}
    line, advice = lines(said)[2:4]
    assert told in line
    assert advice.startswith("  ")
    assert (said.code, said.err) == (1, "Mend what is marked ✗, then look again.\n")


async def test_of_much_that_is_wrong_three_are_named(desk: Desk) -> None:
    for file in (desk.operator.folder / "nix-secrets").glob("clawdinator-chat-*.age"):
        file.unlink()
    said = await desk.looks()
    assert points(said, "✗") == {Point.SECRETS}
    assert lines(said)[2].count(" is missing: ") == 3
    assert lines(said)[2].endswith(" And 1 more.")


async def test_a_desk_without_an_identity_sees_what_needs_none(desk: Desk) -> None:
    said = await desk.looks(CLAWBOT_OPERATOR_IDENTITY="/nowhere")
    assert points(said, "✗") == set()
    assert points(said, "✓") == {Point.HOSTS, Point.IMAGE, Point.DOCUMENT, Point.TABLE, Point.ROLES}
    assert "/nowhere is not there: it is to hold your age identity." in said.out


async def test_a_desk_whose_credentials_may_not_look_calls_nothing_wrong(desk: Desk) -> None:
    with closing(desk.operator.account.client("iam")) as iam:
        await asyncio.to_thread(iam.delete_user_policy, UserName="sam", PolicyName="all")
    said = await desk.looks()
    assert points(said, "✗") <= {Point.HOSTS}
    assert {Point.DOCUMENT, Point.ROLES, Point.BUNDLES} <= points(said, "?")


async def test_without_credentials_a_desk_says_so(desk: Desk) -> None:
    said = await desk.looks(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert (points(said, "✓"), points(said, "✗")) == ({Point.TOKENS}, set())
    assert (said.code, said.err) == (1, "The Control API could not be asked.\n")
    assert "There are no AWS credentials" in said.out


async def test_an_account_without_the_function_has_no_control_api(desk: Desk) -> None:
    # moto reckons the signature of a request to Lambda otherwise than AWS does.
    with unauthenticated(desk.operator.account.url):
        said = await desk.looks(FLEET_CONTROL_API_URL="")
    assert points(said, "✗") == {Point.API}
    assert f"This account has no function `{FUNCTION}` with a URL" in said.out


def test_what_is_looked_for_is_what_tofu_makes() -> None:
    made = "".join(file.read_text() for file in (ROOT / "tofu/control").glob("*.tf"))
    named = set(re.findall(r'\b(?:function_)?name += "([a-z-]+)"', made))
    assert {
        FUNCTION,
        desk_preflight.DOCUMENT,
        desk_preflight.TABLE,
        *desk_preflight.ROLES,
    } <= named
    assert (desk_preflight.DOCUMENT, desk_preflight.TABLE) == (DOCUMENT, CONTROL_TABLE)
