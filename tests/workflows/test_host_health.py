"""Each way that a host can live, through its real job and the usual two steady minutes: the second
at which it is healthy, or what it is called at the deadline."""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from fleet_control import host_answer
from fleet_control.host_answer import HostAnswer
from fleet_control.machine import describe_machines
from sandbox.host_rules import SECRET, Behaviour, Rules, Timing
from sandbox.moto import set_rules
from tests.workflows import plans
from tests.workflows.aws_front import AwsFront
from tests.workflows.conftest import NEW, OLD, LocalRunner
from tests.workflows.plans import REVISION
from tests.workflows.test_aws_failures import handed
from tests.workflows.test_health import Stepping
from workflows.fleet_deploy.health import read_pace, wait
from workflows.fleet_deploy.health_report import AGENT, HealthReport, Unit, Wanted, missing

ONE, TWO, THREE = "clawdinator-1", "clawdinator-2", "clawdinator-3"
BOT = "clawbot.service"
DEADLINE = 600
# Seconds between two looks.
POLL = 20
# A machine is up after 20 s, and its status checks are good after 80.
UP = 20
TIMING = Timing(pending=UP, initializing=60)


@dataclass
class TurnedTime:
    """The job's time and its hosts', which only the job's own sleep moves."""

    moto: str
    rules: Rules

    def now(self) -> float:
        return self.rules.now()

    def monotonic(self) -> float:
        return self.now()

    def sleep(self, seconds: float) -> None:
        self.rule(stopped_at=self.now() + seconds)

    def rule(self, **changed: object) -> None:
        self.rules = replace(self.rules, **changed)  # type: ignore[arg-type]  # any of its fields
        asyncio.run(set_rules(self.moto, self.rules))


@dataclass
class Roll:
    """A roll of three, where it is the second's turn: the first is done, and has been for long."""

    runner: LocalRunner
    clock: TurnedTime
    seen: dict[str, str]

    def does(self, instance: str) -> int:
        machines = {id_: self.runner.hosts()[id_][0] for id_ in self.seen}
        turns = [(id_, self.seen[id_]) for id_ in (ONE, TWO, THREE)]
        self.runner.plans(
            plans.replaced(instance, image=NEW, before={"id": machines[instance], "ami": OLD})
        )
        return self.runner.does("host", INSTANCE=instance, **handed(*turns))

    def took(self, way: Behaviour, **timing: float) -> tuple[int, float]:
        """What the second's job came to where its host lives so, and after how many seconds."""
        self.clock.rule(ways={TWO: way}, timing=replace(TIMING, **timing))
        began = self.clock.now()
        code = self.does(TWO)
        return code, self.clock.now() - began


@pytest.fixture
def roll(runner: LocalRunner, moto: str) -> Iterator[Roll]:
    runner.registers(ONE, TWO, THREE)
    seen = {ONE: "i-0123456789abcdef0"}
    runner.launches(ONE, NEW)
    seen |= {id_: runner.launches(id_) for id_ in (TWO, THREE)}
    del runner.environ["FLEET_STEADY_SECONDS"]
    runner.environ |= {"FLEET_HEALTH_DEADLINE": str(DEADLINE), "FLEET_HEALTH_POLL": str(POLL)}
    clock = TurnedTime(moto, Rules(TIMING))
    clock.rule(stopped_at=time.time() // 1 + 3600)  # whole seconds: they add up without a rest
    runner.clock = clock
    yield Roll(runner, clock, seen)
    asyncio.run(set_rules(moto, Rules()))


@pytest.mark.parametrize(
    ("way", "up", "second"),
    [
        (Behaviour.WELL, UP, UP + 120),
        (Behaviour.WELL, UP + 1, UP + 120 + POLL),  # 119 seconds are too few
        (Behaviour.NO_BOT, UP, UP + 120),
        (Behaviour.AGENT_DIES_ONCE, UP, UP + 100 + 120),
        (Behaviour.LATE, UP, UP + 300),
    ],
)
def test_a_host_that_lives_is_healthy_at_this_second_and_none_before(
    roll: Roll, way: Behaviour, up: int, second: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (0, second) == roll.took(way, pending=up, lasting=100, late=300)
    said = f"{TWO} is healthy, and on the way {AGENT} restarted once."
    assert (said in capsys.readouterr().out) == (way is Behaviour.AGENT_DIES_ONCE)


def noted(roll: Roll, id_: str) -> HostAnswer | None:
    """What a status shows of that host's own last answer."""
    shown = {one.name: one.answer for one in describe_machines(roll.runner.ec2)}
    return host_answer.read(shown[id_], roll.clock.now())


def test_what_each_host_said_last_is_noted_with_its_moment(roll: Roll) -> None:
    assert roll.took(Behaviour.WELL)[0] == 0
    well, before = noted(roll, TWO), noted(roll, ONE)
    assert (well, before) == (HostAnswer(True, roll.clock.now() // 1), before)
    assert before
    assert before.well
    roll.clock.rule(ways={THREE: Behaviour.GARBAGE})
    assert roll.does(THREE) == 1
    assert noted(roll, THREE) == HostAnswer(
        False, roll.clock.now() // 1, "answered what can't be read"
    )


def test_that_it_can_not_be_noted_is_told_and_fails_nothing(
    roll: Roll, front: AwsFront, capsys: pytest.CaptureFixture[str]
) -> None:
    front.refused["CreateTags"] = ""

    assert roll.took(Behaviour.WELL)[0] == 0
    made = roll.runner.hosts()[TWO][0]
    told = f"::notice title=Not noted::What {made} said of itself could not be noted for the status"
    assert f"{told}: EC2 refused CreateTags: the key may not (AuthFailure)." in (
        capsys.readouterr().out
    )
    assert noted(roll, TWO) is None


def dead(unit: str, seconds: int, times: int) -> str:
    return f"{unit} is active for {seconds} of 120 seconds (running, restarted {times} times)"


@pytest.mark.parametrize(
    ("way", "lasting", "trouble"),
    [
        (Behaviour.AGENT_DIES, 3, dead(AGENT, 1, 193)),
        (Behaviour.AGENT_DIES, 30, dead(AGENT, 10, 19)),
        (Behaviour.AGENT_DIES, 119, dead(AGENT, 104, 4)),
        (Behaviour.BOT_DIES, 3, dead(BOT, 1, 193)),
        (Behaviour.OTHER_REVISION, 0, f"runs bbbbbbb and not {REVISION[:7]}"),
        (Behaviour.OTHER_NAME, 0, "says that it is another"),
        (Behaviour.GARBAGE, 0, "answered what can't be read"),
        (Behaviour.FLOOD, 0, "answered with 24000 characters, where 20000 are the most"),
        (Behaviour.LATE, 0, "its SSM agent does not answer yet"),
        (Behaviour.SILENT, 0, "does not say in time how it is"),
    ],
)
def test_one_that_does_not_is_called_what_it_is_and_the_roll_stops_there(
    roll: Roll, caplog: pytest.LogCaptureFixture, way: Behaviour, lasting: float, trouble: str
) -> None:
    roll.runner.environ["FLEET_HEALTH_POLL"] = str(2 * POLL)
    code, took = roll.took(way, lasting=lasting, late=3600)

    assert (code, DEADLINE) == (1, took // 60 * 60)
    made = roll.runner.hosts()[TWO][0]
    why = f"{TWO} was replaced but did not become healthy within 10 min: {TWO} ({made}): {trouble}."
    assert why in roll.runner.summary
    assert ("Main process exited" in caplog.text) == ("restarted" in trouble)

    assert roll.does(THREE) == 1
    stopped = f"{THREE} was not touched: the roll stopped at {TWO} ({made}): "
    assert stopped in roll.runner.summary
    assert roll.runner.hosts()[THREE] == (roll.seen[THREE], OLD)
    assert SECRET not in roll.runner.summary + caplog.text


def test_a_host_that_dies_after_its_turn_stops_the_next_one(roll: Roll) -> None:
    assert roll.took(Behaviour.AGENT_DIES, lasting=150) == (0, UP + 120)
    roll.clock.sleep(30)

    assert roll.does(THREE) == 1
    assert f"{AGENT} is active for 60 of 120 seconds (running, restarted once)." in (
        roll.runner.summary
    )


def test_a_megabyte_is_not_read(roll: Roll, front: AwsFront) -> None:
    front.service = [("Success", "1" * 1_000_000)]

    assert roll.took(Behaviour.WELL)[0] == 1
    assert "answered with 1000000 characters, where 20000 are the most." in roll.runner.summary


@pytest.mark.parametrize("every", [3, 30])
def test_of_a_thousand_starts_of_a_service_that_keeps_dying_none_passes(every: int) -> None:
    """From any phase. The first active look alone would have passed each of them."""
    chance, pace = random.Random(16), read_pace({})  # noqa: S311  (no secret)
    for _ in range(1000):
        dying = Dying(every, chance)

        assert not wait(lambda: dying.lacks(0), pace, dying.clock)  # noqa: B023  (in this round)
        trouble = wait(lambda: dying.lacks(pace.steady), pace, dying.clock)  # noqa: B023  (the same)
        assert trouble.startswith(f"{AGENT} is active for ")
        assert dying.clock.now() > pace.deadline


class Dying:
    """A host whose agent ends after so many seconds and is started again at once; each look at it
    takes a while."""

    def __init__(self, every: float, chance: random.Random) -> None:
        self._every, self._chance = every, chance
        self._phase, self.clock = chance.uniform(0, every), Stepping()

    def lacks(self, steady: float) -> str:
        self.clock.sleep(self._chance.uniform(0, 4))
        restarts, since = divmod(self._phase + self.clock.now(), self._every)
        unit = Unit(AGENT, "active", "running", "c" * 32, since, int(restarts))
        return missing(HealthReport(TWO, REVISION, (unit,), ""), Wanted(TWO, REVISION, steady))
