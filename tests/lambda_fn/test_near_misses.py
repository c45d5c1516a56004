"""Two thousand asks that are right, or nearly: a good share of them gets to each door."""

import json
import random
from collections import Counter
from typing import Any

import pytest

from fleet_control.ledger import Entry
from fleet_control.run_title import parse_title, title
from tests.lambda_fn.conftest import ApiAnswer, Ask
from tests.lambda_fn.events import ACCOUNT, AGENT_1, CHAT_1, by_agent, by_person, function_url
from tests.lambda_fn.small_github import SmallGitHub, job, run_of

ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
WAITING, MOVING, ENDED, NOWHERE = 7, 8, 9, 10
ASKS = 2000

# What each field may hold: the right thing, another's, and what only just is not right.
NEAR: dict[str, list[Any]] = {
    "action": ["deploy", "cancel", "status", "Deploy", None],
    "target": ["clawdinator-1", "clawdinator-2", "all", "ALL", "clawdinator-", "a" * 33, None],
    "ami_override": ["ami-0123456789abcdef0", "ami-01234567", "ami-0123456789abcdef", "latest"],
    "revision": ["a1b2c3d", "a" * 40, "a" * 41, "a1b2c3", "A1B2C3D", None],
    "caller": ["clawdinator-1", "clawdinator-2", "clawdinator-3", "clawdinator_2", "all", None],
    "requested_by": [
        *("telegram:1 kim", "operator:alice", "operator:bob b", "discord:1", "discord:1 a|b"),
        *(f"discord:1 {'n' * 32}", f"discord:1 {'n' * 33}", None),
    ],
    "request_id": [
        *("agent.clawdinator-1.cli.42", "agent.clawdinator-2.cli.41", "operator.alice.cli.1"),
        *("terminal.clawdinator-1.1.2", "discord.clawdinator-2.1.2", "operator.bob.cli.1"),
        *(f"discord.clawdinator-1.{'1' * 20}.2", f"discord.clawdinator-1.{'1' * 21}.2", None),
    ],
    "reply": ["1", "3" * 20, "3" * 21, "3.3", None],
    "run_id": [WAITING, MOVING, ENDED, NOWHERE, 0, 2**63, 2**63 + 1, "7", True],
    "limit": [1, 100, 101, 0, "10"],
    "unfinished": [True, False, 0, "true"],
    "control_token": ["x"],
}


TARGETS = ["clawdinator-1", "clawdinator-2", "clawdinator-3", "clawdinator-4", "all"]


def deploy(dice: random.Random, signer: str) -> dict[str, Any]:
    if signer == AGENT_1:
        return by_agent()
    if signer == ALICE:
        return by_person(request_id="operator.alice.cli.1", reply="")
    # The bot heard a person, or a bot instance.
    bots = {"caller": "clawdinator-2", "requested_by": ""}
    return by_person(**(bots if dice.random() < 0.4 else {}))


def asked(dice: random.Random, signer: str) -> dict[str, Any]:
    """An ask of this signer's in the right form."""
    if dice.random() < 0.6:
        return deploy(dice, signer) | {"target": dice.choice(TARGETS)}
    person = "discord:1 sam" if signer == CHAT_1 else ""
    run_id = dice.choice([WAITING, MOVING, ENDED, NOWHERE])
    return dice.choice(
        [
            {"action": "cancel", "run_id": run_id, "requested_by": person},
            {"action": "run", "run_id": run_id},
            {"action": "runs", "limit": 3, "unfinished": True},
            {"action": "registry"},
        ]
    )


def nearly(dice: random.Random, body: dict[str, Any]) -> dict[str, Any]:
    """The same, but for one thing more often than not; seldom but for a key too many or too few."""
    body = dict(body)
    luck = dice.random()
    if luck < 0.5:
        key = dice.choice(list(body))
        body[key] = dice.choice(NEAR[key])
    elif luck < 0.55:
        del body[dice.choice(list(body))]
    elif luck < 0.6:
        key = dice.choice(list(NEAR))
        body[key] = dice.choice(NEAR[key])
    return body


def ledger(*, busy: bool) -> list[dict[str, Any]]:
    others = Entry("discord.demo.1.2", "3", "clawdinator-3", requested_by="discord:1 sam")
    bots = Entry("agent.clawdinator-1.cli.40", target="clawdinator-3", caller="clawdinator-1")
    return [
        *([run_of(bots, 11)] if busy else []),
        run_of(others, ENDED, status="completed", conclusion="success"),
        run_of(others, MOVING, status="in_progress"),
        run_of(others, WAITING, status="pending"),
    ]


def check_may_say(signer: str, entry: Entry) -> None:
    """Whatever was asked, what is dispatched is what this signer may say."""
    assert parse_title(title(entry)) == entry
    assert entry.target not in ((entry.caller, "all") if entry.caller else ())
    if signer == AGENT_1:
        assert entry.request_id.startswith("agent.clawdinator-1.")
        assert (entry.caller, entry.requested_by, entry.reply) == ("clawdinator-1", "", "")
    elif signer == ALICE:
        assert entry.request_id.startswith("operator.alice.")
        assert (entry.caller, entry.requested_by) == ("", "operator:alice")
    else:
        assert entry.request_id.split(".")[:2] in (
            [platform, "clawdinator-1"] for platform in ("discord", "telegram", "terminal")
        )
        assert entry.caller or entry.requested_by
        assert not entry.requested_by.startswith("operator:")


def door(answer: ApiAnswer) -> str:
    """How far an ask came."""
    match answer.body.get("code"):
        case None:
            return "done"
        case "bad_request":
            return "form"
        case "forged_caller":
            return "signer"
        case "self_deploy":
            return "policy"
        case "busy" | "unknown_run" | "already_running":
            return "ledger"
        case other:
            pytest.fail(f"{other}: {answer.body['error']}")


async def test_nobody_says_more_than_they_may_however_nearly_right_it_is(
    ask: Ask, github: SmallGitHub, environ: dict[str, str]
) -> None:
    environ["CONTROL_API_OPERATORS"] = ALICE
    github.jobs = {
        WAITING: [job(1, "plan")],
        MOVING: [job(2, "plan", "in_progress")],
        ENDED: [job(3, "plan", "completed", conclusion="success")],
    }
    dice = random.Random(20261125)  # noqa: S311  (a test that is the same each time)
    came: Counter[str] = Counter()
    for _ in range(ASKS):
        signer = dice.choice([AGENT_1, CHAT_1, ALICE])
        body = nearly(dice, asked(dice, signer))
        github.runs = ledger(busy=dice.random() < 0.5)
        github.dispatched, github.cancelled = [], []

        answer = await ask(function_url(json.dumps(body), signer))

        came[door(answer)] += 1
        deployed = answer.status == 200 and body["action"] == "deploy"
        cancelled = answer.status == 200 and body["action"] == "cancel"
        assert len(github.dispatched) == deployed, body
        assert github.cancelled == [WAITING] * cancelled, body
        assert not (cancelled and signer == AGENT_1)
        for sent in github.dispatched:
            check_may_say(signer, Entry(**sent["inputs"]))

    assert came["done"] > ASKS / 3, came
    assert all(came[one] > ASKS / 20 for one in ("form", "signer", "policy", "ledger")), came
