"""A freeze that came while a run waited: it stops when its turn comes, touching nothing."""

import time

import pytest

from sandbox.run_record import PERSON
from tests.workflows.conftest import NEW, OLD, LocalRunner, started_by
from tests.workflows.plans import HOST, own, replaced

TABLE = "clawdinator-control"
ONE, TWO = "clawdinator-1", "clawdinator-2"
KIM = "telegram:7 kim"
AGENTS = {"CALLER": ONE, "REQUEST_ID": f"agent.{ONE}.cli.41"}
PERSONS = {
    "REQUESTED_BY": "discord:80351110224678912 sam",
    "REQUEST_ID": f"discord.{ONE}.1001.2002",
}
BUTTONS = started_by(PERSON)
EVERYBODY = pytest.mark.parametrize(
    "asker", [AGENTS, PERSONS, BUTTONS], ids=["agent", "person", "button"]
)


@pytest.fixture
def waits(runner: LocalRunner) -> LocalRunner:
    """A run whose turn is next, beside a table in which nothing stands."""
    runner.registers(ONE, TWO)
    runner.launches(ONE)
    seen = runner.launches(TWO)
    runner.plans(replaced(TWO, after=own(HOST, TWO, ami=NEW), before={"id": seen, "ami": OLD}))
    runner.environ["CONTROL_TABLE"] = TABLE
    tables = runner.client("dynamodb")
    tables.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    tables.close()
    return runner


def freeze(runner: LocalRunner, seconds: int = 3600) -> None:
    now = int(time.time())
    times = {"since": now - 7200, "until": now + seconds, "expires": now + 90_000}
    row = {"pk": {"S": "freeze"}, "by": {"S": KIM}, "reason": {"S": "a move"}}
    tables = runner.client("dynamodb")
    item = row | {name: {"N": str(one)} for name, one in times.items()}
    tables.put_item(TableName=TABLE, Item=item)
    tables.close()


@EVERYBODY
def test_what_waited_is_refused_when_its_turn_comes(
    waits: LocalRunner, capsys: pytest.CaptureFixture[str], asker: dict[str, str]
) -> None:
    before = waits.hosts()
    asked = waits.asks(**asker)
    freeze(waits)

    assert waits.deploys(**asked) == 1
    assert (waits.hosts(), waits.commands, waits.outputs) == (before, [], {})
    said = capsys.readouterr().out
    assert "::error title=Refused (frozen)::The fleet is frozen by kim in Telegram until 2" in said
    assert "UTC: a move. A person who is an operator may override that." in said


@pytest.mark.parametrize("operation", [{"OPERATION": "rollback"}, {"OPERATION": "resume"}])
def test_so_is_what_else_replaces_hosts(
    waits: LocalRunner, capsys: pytest.CaptureFixture[str], operation: dict[str, str]
) -> None:
    freeze(waits)
    target = {"TARGET": "7" if operation["OPERATION"] == "resume" else TWO}

    assert waits.does("plan", **PERSONS, **operation, **target) == 1
    assert "title=Refused (frozen)::" in capsys.readouterr().out


@EVERYBODY
def test_it_goes_on_once_the_freeze_is_over(
    waits: LocalRunner, capsys: pytest.CaptureFixture[str], asker: dict[str, str]
) -> None:
    freeze(waits, seconds=0)

    assert waits.does("plan", **asker) == 0
    assert "frozen" not in capsys.readouterr().out


@pytest.mark.parametrize("asker", [PERSONS, BUTTONS], ids=["person", "button"])
def test_what_a_person_overrode_goes_on_and_says_so(
    waits: LocalRunner, capsys: pytest.CaptureFixture[str], asker: dict[str, str]
) -> None:
    freeze(waits)

    assert waits.does("plan", **asker, OVERRIDE="freeze") == 0
    said = capsys.readouterr().out
    assert "::notice title=Overridden::This overrides the freeze by kim in Telegram until" in said


@EVERYBODY
def test_where_it_cannot_be_seen_a_person_goes_on_and_a_bot_does_not(
    waits: LocalRunner, capsys: pytest.CaptureFixture[str], asker: dict[str, str]
) -> None:
    before = waits.hosts()
    by_bot = asker == AGENTS

    assert waits.does("plan", **asker, CONTROL_TABLE="another") == by_bot
    said = capsys.readouterr().out
    unseen = "Whether the fleet is frozen can't be seen: The control table can't be read"
    if by_bot:
        assert f"::error title=Not seen::Nothing was touched. {unseen}" in said
        assert (waits.hosts(), waits.commands) == (before, [])
    else:
        assert f"::notice title=Not seen::{unseen}" in said
        assert "It goes on.\n" in said


@EVERYBODY
def test_a_deployment_whose_variable_is_not_set_goes_on_and_says_so(
    waits: LocalRunner, capsys: pytest.CaptureFixture[str], asker: dict[str, str]
) -> None:
    """Or whoever forgot it would take a run for one that looked."""
    freeze(waits)

    assert waits.does("plan", **asker, CONTROL_TABLE="") == 0
    assert (
        "::notice title=Not seen::Whether the fleet is frozen can't be seen: CONTROL_TABLE is not "
        "set (see docs/set-up.md). It goes on.\n"
    ) in capsys.readouterr().out
