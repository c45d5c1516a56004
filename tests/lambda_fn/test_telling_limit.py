"""How often a minute a chat key may say what its bot tells: more than a bot needs, and no flood."""

from typing import Any

import pytest

from clawbot.fleet_channel.announcing import LOOK_EVERY_SECONDS
from clawbot.fleet_channel.watching import READ_EVERY_SECONDS
from fleet_control.announcement import LIVING_EVERY_SECONDS
from fleet_control.github import PER_PAGE
from fleet_control.policy import MOST_WAITING_FOR_A_BOT
from lambda_fn.github_cache import GitHubCache
from lambda_fn.read_limit import TELLS_A_MINUTE
from tests.lambda_fn.conftest import Ask, TurnedNow
from tests.lambda_fn.events import CHAT_1, PERSONS, by_person, fleet_key, function_url
from tests.lambda_fn.role import TABLE, LambdaRole
from tests.lambda_fn.small_github import SmallGitHub, run_of

CHANNEL = "discord:901"
CHAT_2 = fleet_key("chat", "clawdinator-2")
TOLD = {"action": "told", "request_id": PERSONS.request_id}
LIVING = {"action": "living", "request_id": PERSONS.request_id}
ANNOUNCE = {"action": "announce", "run_id": 7, "channel": CHANNEL, "bot": "clawdinator-1"}
WATCH = {"action": "watch", "channel": CHANNEL, "bot": "clawdinator-1"}
EACH = pytest.mark.parametrize(
    "body", [TOLD, LIVING, ANNOUNCE, WATCH], ids=lambda one: one["action"]
)


@pytest.fixture
def used_up(table: LambdaRole, now: TurnedNow) -> TurnedNow:
    """But for one, in the minute that begins."""
    now.ahead = 60 - now() % 60
    key = f"tells#clawdinator-1#{now() // 60:.0f}"
    item = {"pk": {"S": key}, "asked": {"N": str(TELLS_A_MINUTE - 1)}}
    table.admin.put_item(TableName=TABLE, Item=item)
    return now


def test_a_bot_with_two_channels_never_needs_as_much() -> None:
    channels, minute = 2, 60.0
    # The lease, what is pending, that it was told, and once more where that waited.
    watched = channels * 4 * minute / READ_EVERY_SECONDS
    runs = MOST_WAITING_FOR_A_BOT + 1
    others = runs * channels * minute / LOOK_EVERY_SECONDS
    own = runs * (channels + 1) * minute / LIVING_EVERY_SECONDS
    restarted = channels * PER_PAGE

    assert watched + max(others, own) + restarted < TELLS_A_MINUTE


@EACH
async def test_what_is_more_is_refused_until_the_minute_ends_and_to_no_other_bot(
    ask: Ask, used_up: TurnedNow, github: SmallGitHub, body: dict[str, Any]
) -> None:
    github.runs = [run_of(PERSONS, 7)]
    event = function_url(body, CHAT_1)
    last = await ask(event)
    over = [await ask(event, another_process=GitHubCache()) for _ in range(2)]
    other = await ask(function_url({**WATCH, "bot": "clawdinator-2"}, CHAT_2))
    deploy = await ask(function_url(by_person(), CHAT_1))
    used_up.ahead += 60

    assert last.status == 200
    assert {one.code for one in over} == {(503, "asked_too_often")}
    assert over[0].body["retry_after"] == 61
    assert over[0].body["error"] == (
        "clawdinator-1 has asked 300 times this minute. Ask again in 61 s."
    )
    assert (other.status, deploy.status) == (200, 200)
    assert (await ask(event)).status == 200


async def test_a_flood_that_the_table_takes_no_more_of_is_refused_all_the_same(
    ask: Ask, used_up: TurnedNow, environ: dict[str, str]
) -> None:
    event = function_url(TOLD, CHAT_1)
    for status in (200, 503):
        assert (await ask(event)).status == status
    environ["AWS_ENDPOINT_URL_DYNAMODB"] = "http://127.0.0.1:1"

    assert (await ask(event)).code == (503, "asked_too_often")
    used_up.ahead += 60
    assert (await ask(event)).code == (502, "table_unreachable")


async def test_with_the_table_away_nothing_is_counted(
    ask: Ask, table: LambdaRole, environ: dict[str, str]
) -> None:
    environ["AWS_ENDPOINT_URL_DYNAMODB"] = "http://127.0.0.1:1"

    assert (await ask(function_url(WATCH, CHAT_1))).code == (502, "table_unreachable")
