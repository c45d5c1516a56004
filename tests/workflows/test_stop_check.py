"""Before each host, and before `finish`, a run looks whether it was told to stop."""

from collections.abc import Iterator

import pytest

from tests.workflows.conftest import LocalRunner

SAM = "discord:80351110224678912 sam"
TABLE = "clawdinator-control"
HOST = {"INSTANCE": "clawdinator-2"}


@pytest.fixture
def told(runner: LocalRunner) -> Iterator[LocalRunner]:
    """A runner beside the control table, where run 7 was told to stop."""
    runner.environ |= {"CONTROL_TABLE": TABLE, "GITHUB_RUN_ID": "7"}
    tables = runner.client("dynamodb")
    tables.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    row = {"pk": {"S": "stop#7"}, "by": {"S": SAM}, "at": {"N": "1"}, "expires": {"N": "2"}}
    tables.put_item(TableName=TABLE, Item=row)
    yield runner
    tables.close()


@pytest.mark.parametrize(
    ("job", "left"),
    [(HOST, "clawdinator-2 was not touched: "), ({}, "Nothing was removed: ")],
)
def test_a_run_that_was_told_to_stop_says_by_whom_and_what_is_left(
    told: LocalRunner, capsys: pytest.CaptureFixture[str], job: dict[str, str], left: str
) -> None:
    assert told.does("look", **job) == 0

    assert told.outputs == {"by": SAM}
    why = f"{left}the roll was stopped by sam in Discord."
    assert f"::error title=Stopped::{why}\n" == capsys.readouterr().out


def test_who_stopped_it_is_never_more_than_a_name(told: LocalRunner) -> None:
    row = {"pk": {"S": "stop#7"}, "by": {"S": "sam\nby=an output of its own"}}
    tables = told.client("dynamodb")
    tables.put_item(TableName=TABLE, Item=row)
    tables.close()

    assert told.does("look", **HOST) == 0
    assert told.outputs == {"by": "somebody"}


def test_any_other_run_goes_on_without_a_word(
    told: LocalRunner, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told.does("look", **HOST, GITHUB_RUN_ID="77") == 0

    assert (told.outputs, capsys.readouterr().out) == ({}, "")


@pytest.mark.parametrize(
    "changed",
    [
        {"CONTROL_TABLE": ""},
        {"CONTROL_TABLE": "another"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
        {"AWS_ACCESS_KEY_ID": ""},
        {"GITHUB_RUN_ID": ""},
    ],
)
def test_where_that_can_t_be_seen_the_roll_goes_on_and_says_so(
    told: LocalRunner, capsys: pytest.CaptureFixture[str], changed: dict[str, str]
) -> None:
    assert told.does("look", **HOST, **changed) == 0

    assert told.outputs == {}
    said = capsys.readouterr().out
    assert said.startswith("::notice title=Not seen::Whether anybody told the roll to stop can't")
    assert said.endswith(" It goes on.\n")
