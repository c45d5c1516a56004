"""Waiting has a deadline, and says what was still missing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.http_server import listening
from tests.workflows.test_health_report import answer, unit
from workflows.fleet_deploy.cloud import connect
from workflows.fleet_deploy.health import DOCUMENT, HostHealth, Polling, read_pace, wait
from workflows.fleet_deploy.health_report import AGENT, HealthReport, ReportError
from workflows.fleet_deploy.stopped import Stopped


class Stepping:
    """A clock that a sleep moves on, and nothing else."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.set_back = 0.0

    def now(self) -> float:
        return self.seconds - self.set_back

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def looks(*words: str) -> Iterator[str]:
    yield from words


def test_waiting_ends_when_nothing_is_missing() -> None:
    clock, found = Stepping(), looks("pending", "initializing", "")

    assert not wait(lambda: next(found), Polling(900, 10), clock)
    assert clock.now() == 20


def test_at_the_deadline_what_is_still_missing_is_said() -> None:
    clock = Stepping()

    assert wait(lambda: "initializing", Polling(900, 10), clock) == "initializing"
    assert clock.now() == 900


def test_a_clock_that_is_set_back_moves_no_deadline() -> None:
    clock = Stepping()

    def look() -> str:
        clock.set_back = 3600.0
        return "initializing"

    assert wait(look, Polling(900, 10), clock) == "initializing"
    assert clock.seconds == 900


def test_even_with_no_time_left_there_is_one_look() -> None:
    assert not wait(lambda: "", Polling(0, 10), Stepping())


def test_the_pace_is_half_an_hour_and_two_steady_minutes_unless_the_runner_says_otherwise() -> None:
    said = {
        "FLEET_HEALTH_DEADLINE": "2",
        "FLEET_HEALTH_POLL": "0.05",
        "FLEET_STEADY_SECONDS": "1",
    }

    assert Polling(1800, 10, 120) == read_pace({})
    assert Polling(900, 10, 120) == read_pace({}, 900)
    assert Polling(2, 0.05, 1) == read_pace(said, 900)


@pytest.mark.parametrize("value", ["soon", "-1", "0", "nan", "inf"])
def test_a_pace_that_is_no_time_stops_the_run(value: str) -> None:
    with pytest.raises(Stopped, match="FLEET_HEALTH_POLL"):
        read_pace({"FLEET_HEALTH_POLL": value})


SENT = (200, {"Command": {"CommandId": "0123456789abcdef0123456789abcdef0123"}})
MACHINE = "i-0123456789abcdef0"
WELL = answer(unit())


def said(status: str, words: str = "") -> tuple[int, dict[str, Any]]:
    return 200, {"Status": status, "StandardOutputContent": words}


def refused(code: str) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": code, "message": "no"}


@contextmanager
def ssm(*answers: tuple[int, dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """SSM on loopback: it gives these answers in turn, and notes what it was asked."""
    waiting, asked = list(answers), list[dict[str, Any]]()

    def answer(_path: str, _headers: object, body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked.append(json.loads(body))
        status, said = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return status, {}, json.dumps(said).encode()

    with listening(answer) as url:
        yield url, asked


def ask(*answers: tuple[int, dict[str, Any]], clock: Stepping | None = None) -> HealthReport:
    with ssm(*answers) as (url, asked):
        client = boto3.client(
            "ssm",
            endpoint_url=url,
            region_name="eu-central-1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}),
        )
        try:
            found = HostHealth(client, clock or Stepping()).ask(MACHINE)
        finally:
            client.close()
        assert asked[0]["DocumentName"] == DOCUMENT
        assert asked[0]["TimeoutSeconds"] == 30  # the least that SSM takes
        assert "Parameters" not in asked[0]
        return found


def trouble(*answers: tuple[int, dict[str, Any]], clock: Stepping | None = None) -> str:
    """Why there is no answer, or nothing."""
    try:
        ask(*answers, clock=clock)
    except ReportError as error:
        return str(error).removesuffix(".")
    return ""


def test_what_a_host_says_is_its_answer() -> None:
    assert [one.name for one in ask(SENT, said("Success", WELL)).units] == [AGENT]


def test_words_of_the_document_before_are_no_answer() -> None:
    assert trouble(SENT, said("Success", "active\n")) == "answered what can't be read"


def test_the_answer_is_waited_for() -> None:
    assert not trouble(
        SENT,
        refused("InvocationDoesNotExist"),
        said("Pending"),
        said("InProgress"),
        said("Success", WELL),
    )


def test_a_host_that_can_not_say_how_it_is_puts_no_words_into_the_reason() -> None:
    """They would be read as the run's own: what to go back to, for one."""
    assert trouble(SENT, said("Failed", "It ran abcdef0 before.")) == "can't say how it is (Failed)"


@pytest.mark.parametrize("status", ["TimedOut", "Cancelled", "Undeliverable"])
def test_no_answer_is_no_health(status: str) -> None:
    assert trouble(SENT, said(status)) == f"can't say how it is ({status})"


def test_an_answer_is_not_waited_for_for_ever() -> None:
    clock = Stepping()

    assert "does not say in time" in trouble(SENT, said("Pending"), clock=clock)
    assert clock.now() == 60


def test_an_agent_that_is_not_up_yet_may_be_asked_again() -> None:
    assert "does not answer yet" in trouble(refused("InvalidInstanceId"))


@pytest.mark.parametrize("busy", [refused("ThrottlingException"), (503, {})])
def test_ssm_that_is_busy_may_be_asked_again(busy: tuple[int, dict[str, Any]]) -> None:
    assert "SSM is busy" in trouble(busy)
    assert not trouble(SENT, busy, said("Success", WELL))


def test_ssm_that_answers_nonsense_may_be_asked_again() -> None:
    assert "SSM can't be reached" in trouble((200, {}))
    assert not trouble(SENT, (200, {}), said("Success", WELL))


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidDocument"])
def test_what_asking_again_would_not_help_stops_the_run(code: str) -> None:
    with pytest.raises(Stopped, match=code):
        trouble(refused(code))


def test_an_answer_is_looked_for_every_two_seconds() -> None:
    clock = Stepping()

    assert not trouble(SENT, *[said("Pending")] * 29, said("Success", WELL), clock=clock)
    assert clock.now() == 58


def test_an_aws_that_hangs_stops_a_job_within_minutes() -> None:
    """The clients' own words: a test would have to wait as long."""
    keys = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-central-1"}
    cloud = connect(keys, Stepping())

    for client, least, most in ((cloud.ec2, 60, 180), (cloud.s3, 60, 180), (cloud.quotas, 10, 30)):
        config: Any = client.meta.config
        once = config.connect_timeout + config.read_timeout
        assert 2 < config.connect_timeout < config.read_timeout <= 20
        assert least < once * config.retries["total_max_attempts"] < most
        client.close()
    cloud.ssm.close()
    cloud.sts.close()


@pytest.mark.parametrize("value", ["86400", "x" * 50])
def test_a_pace_of_a_day_is_none_and_twenty_characters_of_it_are_told(value: str) -> None:
    with pytest.raises(Stopped, match=f"is '{value[:20]}'; it must be seconds"):
        read_pace({"FLEET_HEALTH_POLL": value})
    assert read_pace({"FLEET_HEALTH_POLL": "86399"}).poll == 86399
