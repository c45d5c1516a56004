"""The lock on the state, as the function reads it from OpenTofu's table."""

import json

import pytest

from fleet_control import state_lock
from lambda_fn import held_lock
from lambda_fn.http_client import Budget
from lambda_fn.settings import read_settings
from lambda_fn.table import Table
from tests.lambda_fn.conftest import Ask
from tests.lambda_fn.events import AGENT_1, function_url
from tests.lambda_fn.role import LOCKS, STATE, TABLE, LambdaRole

ID = "11111111-2222-3333-4444-555555555555"
NOW = 1795507200.0
WHO = "runner@runnervm1"
INFO = {
    "ID": ID,
    "Who": WHO,
    "Created": "2026-11-24T08:00:00.5Z",
    "Operation": "OperationTypeApply",
}
NOTED = state_lock.begun(WHO, 17, "plan", NOW)


def lock(role: LambdaRole, key: str = STATE) -> None:
    item = {"LockID": {"S": key}, "Info": {"S": json.dumps(INFO)}}
    role.admin.put_item(TableName=LOCKS, Item=item)


def note(environ: dict[str, str]) -> None:
    Table(TABLE, environ, Budget()).put(state_lock.item(NOTED), None)


def seen(environ: dict[str, str]) -> object:
    conf, budget = read_settings(environ), Budget()
    notes = Table(conf.table, environ, budget) if conf.table else None
    return held_lock.seen(conf, notes, environ, budget)


async def test_a_lock_is_told_with_the_job_that_took_it(
    ask: Ask, locks: LambdaRole, environ: dict[str, str]
) -> None:
    """To whoever may read, beside the freeze."""
    lock(locks)
    note(environ)

    answer = await ask(function_url({"action": "holds"}, AGENT_1))

    assert answer.body == {
        "ok": True,
        "freeze": None,
        "lock": {
            "id": ID,
            "who": WHO,
            "created": NOW,
            "run": 17,
            "job": "plan",
            "breakable": NOW + 3600 + 600,
        },
    }


@pytest.mark.parametrize("named", [TABLE, ""])
def test_a_persons_own_has_neither(locks: LambdaRole, environ: dict[str, str], named: str) -> None:
    lock(locks)
    environ["CONTROL_TABLE"] = named

    assert seen(environ) == {
        "lock": {
            "id": ID,
            "who": WHO,
            "created": NOW,
            "run": None,
            "job": None,
            "breakable": None,
        }
    }


@pytest.mark.parametrize("info", ["", "{", "[]", '{"ID": "x"}'])
def test_one_that_tells_nothing_of_itself_is_not_called_none(
    locks: LambdaRole, environ: dict[str, str], info: str
) -> None:
    item = {"LockID": {"S": STATE}, "Info": {"S": info}}
    locks.admin.put_item(TableName=LOCKS, Item=item)

    assert seen(environ) == {}


def test_where_nobody_holds_it_there_is_none(locks: LambdaRole, environ: dict[str, str]) -> None:
    lock(locks, f"{STATE}-md5")

    assert seen(environ) == {"lock": None}


@pytest.mark.parametrize(
    "missing", [{"LOCK_TABLE": ""}, {"STATE_LOCK": ""}, {"LOCK_TABLE": "another"}]
)
def test_what_can_not_be_seen_is_left_out(
    locks: LambdaRole, environ: dict[str, str], missing: dict[str, str]
) -> None:
    lock(locks)
    environ |= missing

    assert seen(environ) == {}
