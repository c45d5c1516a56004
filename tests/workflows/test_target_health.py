"""A bot's target that EC2 calls healthy: the run asks it how it is, and judges by that."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from fleet_control import host_answer
from fleet_control.host_answer import HostAnswer
from fleet_control.ledger import Entry
from fleet_control.machine import describe_machines
from sandbox.host_rules import Behaviour, Rules
from sandbox.moto import set_rules
from tests.workflows import plans
from tests.workflows.aws_front import AwsFront
from tests.workflows.conftest import NEW, OLD, OLDEST, LocalRunner, iso
from tests.workflows.loopback import raw_run
from tests.workflows.test_host_health import (
    BOT,
    ONE,
    POLL,
    THREE,
    TIMING,
    TWO,
    UP,
    TurnedTime,
    dead,
)
from workflows.fleet_deploy.health_report import AGENT

LONG_UP = 3600
# The steady time and a minute: so long it is asked whether it is well.
PATIENCE = 180
REPAIR_ONLY = (
    f"{TWO} is healthy: a bot instance names an image or a commit only to repair. Leave it out for "
    "the newest; a person may name one."
)
UNWELL = f"{TWO} is healthy while {THREE} is unhealthy. One thing at a time: see to that first."


@dataclass
class TargetFleet:
    """Of three, of which a bot names the second; the others are well."""

    runner: LocalRunner
    front: AwsFront
    clock: TurnedTime
    machine: str = ""

    def lives(self, way: Behaviour = Behaviour.WELL, up: float = LONG_UP, **timing: float) -> None:
        """The second lives so, and has been up for so many seconds."""
        self.clock.rule(ways={TWO: way}, timing=replace(TIMING, **timing))
        self.machine = self.runner.launches(TWO)
        self.clock.sleep(UP + up)

    def plan(self, image: str = OLDEST, **asked: str) -> tuple[int, float]:
        """What the bot of the first comes to with this image (empty: the newest), and when."""
        before = {"id": self.machine, "ami": OLD}
        self.runner.plans(plans.replaced(TWO, image=image or NEW, before=before))
        began = self.clock.now()
        code = self.runner.does("plan", **{"CALLER": ONE, "AMI_OVERRIDE": image, **asked})
        return code, self.clock.now() - began

    @property
    def refusal(self) -> tuple[str, str]:
        """Its code, and the sentence."""
        headline, sentence, *_ = self.runner.summary.split("\n\n")
        return headline.removeprefix("## Stopped: Refused "), sentence.strip()

    @property
    def moves(self) -> list[str]:
        return [turn["id"] for turn in json.loads(self.runner.outputs["roll"])]

    @property
    def asked(self) -> int:
        """How often it was asked how it is."""
        return self.front.asked.count("SendCommand")

    @property
    def noted(self) -> HostAnswer | None:
        """What a status shows of the second's own last answer."""
        shown = {one.name: one.answer for one in describe_machines(self.runner.ec2)}
        return host_answer.read(shown[TWO], self.clock.now())

    def now(self) -> float:
        """The minute."""
        return self.clock.now() // 1


@pytest.fixture
def fleet(runner: LocalRunner, moto: str, front: AwsFront) -> Iterator[TargetFleet]:
    runner.registers(ONE, TWO, THREE)
    del runner.environ["FLEET_STEADY_SECONDS"]
    runner.environ |= {"FLEET_HEALTH_DEADLINE": "600", "FLEET_HEALTH_POLL": str(POLL)}
    clock = TurnedTime(moto, Rules(TIMING))
    clock.rule(stopped_at=time.time() // 1 + 3600)  # whole seconds: they add up without a rest
    runner.clock = clock
    for id_ in (ONE, THREE):
        runner.launches(id_)
    clock.sleep(LONG_UP)
    yield TargetFleet(runner, front, clock)
    asyncio.run(set_rules(moto, Rules()))


@pytest.mark.parametrize("way", [Behaviour.WELL, Behaviour.NO_BOT, Behaviour.OTHER_REVISION])
def test_one_that_is_well_is_no_repair_and_says_so_itself(
    fleet: TargetFleet, way: Behaviour
) -> None:
    """Whatever it is of."""
    fleet.lives(way)

    assert fleet.plan() == (1, 0)
    assert fleet.refusal == ("(repair_only)", f"{REPAIR_ONLY} It says so itself.")
    assert fleet.asked == 1
    assert fleet.runner.commands == []
    assert fleet.noted == HostAnswer(True, fleet.now())


@pytest.mark.parametrize(
    ("way", "lasting", "trouble"),
    [
        (Behaviour.AGENT_DIES, 3, dead(AGENT, 0, 1260)),
        (Behaviour.AGENT_DIES, 119, dead(AGENT, 91, 31)),
        (Behaviour.BOT_DIES, 30, dead(BOT, 0, 126)),
        (Behaviour.OTHER_NAME, 0, "says that it is another"),
        (Behaviour.GARBAGE, 0, "answered what can't be read"),
        (Behaviour.FLOOD, 0, "answered with 24000 characters, where 20000 are the most"),
        (Behaviour.LATE, 0, "its SSM agent does not answer yet"),
    ],
)
def test_one_that_is_not_may_be_repaired(
    fleet: TargetFleet, way: Behaviour, lasting: float, trouble: str
) -> None:
    """It is asked for the steady time and a minute; once, though the fleet is judged twice."""
    fleet.lives(way, lasting=lasting, late=1e9)

    assert fleet.plan() == (0, PATIENCE)
    assert fleet.moves == [TWO]
    assert fleet.asked == PATIENCE / POLL + 1
    assert fleet.noted == HostAnswer(False, fleet.now(), trouble)


def test_one_that_says_nothing_in_time_may_be_too(fleet: TargetFleet) -> None:
    fleet.lives(Behaviour.SILENT)

    code, took = fleet.plan()
    assert (code, fleet.moves) == (0, [TWO])
    assert PATIENCE <= took < PATIENCE + 60 + POLL
    assert fleet.noted == HostAnswer(False, fleet.now(), "does not say in time how it is")


def test_no_longer_than_the_run_waits_for_a_host(fleet: TargetFleet) -> None:
    fleet.lives(Behaviour.GARBAGE)

    assert fleet.plan(FLEET_HEALTH_DEADLINE=str(2 * POLL)) == (0, 2 * POLL)


def test_one_that_restarted_just_now_is_asked_again(fleet: TargetFleet) -> None:
    fleet.lives(Behaviour.AGENT_DIES_ONCE, up=120, lasting=100)

    assert fleet.plan() == (1, 100)
    assert fleet.refusal == ("(repair_only)", f"{REPAIR_ONLY} It says so itself.")
    assert fleet.asked == 100 / POLL + 1


@pytest.mark.parametrize(
    ("refused", "garbled", "why"),
    [
        ("SendCommand", "", "I can't ask a host how it is: SSM says AccessDeniedException (no)."),
        ("", "SendCommand", "SSM can't be reached ("),
        ("", "GetCommandInvocation", "SSM does not tell what the host says"),
    ],
)
def test_where_ssm_can_not_carry_the_question_ec2s_word_counts(
    fleet: TargetFleet, refused: str, garbled: str, why: str
) -> None:
    """A host can't be called ill for that; nor is anything noted of it."""
    fleet.lives(Behaviour.GARBAGE)
    fleet.front.refused[refused] = ""
    fleet.front.garbled[garbled] = ""

    assert fleet.plan()[0] == 1
    code, sentence = fleet.refusal
    assert code == "(repair_only)"
    said = f"{REPAIR_ONLY} That is EC2's word, for it could not be asked itself: {why}"
    assert sentence.startswith(said)
    assert sentence.count(REPAIR_ONLY) == 1
    assert fleet.noted is None


@pytest.mark.parametrize("failure", ["refused", "garbled"])
def test_what_it_said_before_ssm_failed_counts(fleet: TargetFleet, failure: str) -> None:
    fleet.lives(Behaviour.GARBAGE)
    getattr(fleet.front, failure)["SendCommand"] = "GetCommandInvocation"

    assert fleet.plan()[0] == 0
    assert fleet.noted
    assert fleet.noted.why == "answered what can't be read"


@pytest.mark.parametrize(
    ("way", "code"), [(Behaviour.WELL, 1), (Behaviour.AGENT_DIES, 0)], ids=["well", "dies"]
)
def test_while_a_third_is_unwell_its_own_word_decides_as_well(
    fleet: TargetFleet, way: Behaviour, code: int
) -> None:
    third = fleet.runner.hosts()[THREE][0]
    fleet.clock.rule(without_disks=(third,))
    fleet.lives(way)

    assert fleet.plan("")[0] == code
    if code:
        assert fleet.refusal == ("(fleet_unwell)", f"{UNWELL} It says so itself.")
    else:
        assert fleet.moves == [TWO]


def test_one_that_starts_is_not_asked(fleet: TargetFleet) -> None:
    fleet.lives(Behaviour.AGENT_DIES, up=20)

    assert fleet.plan() == (1, 0)
    assert fleet.refusal == ("(repair_only)", REPAIR_ONLY.replace("healthy", "starting"))
    assert fleet.asked == 0


def test_that_a_bot_deployed_it_of_late_decides_before_it_is_asked(fleet: TargetFleet) -> None:
    fleet.lives(Behaviour.AGENT_DIES)
    ended = iso(fleet.clock.now() - 600)
    fleet.runner.github.runs = [raw_run(90, Entry(target=TWO, caller=THREE), moment=ended)]

    assert fleet.plan() == (1, 0)
    code, sentence = fleet.refusal
    assert code == "(too_soon)"
    assert sentence.startswith(f"{TWO} is healthy and {THREE} deployed it 10 min ago. ")
    assert fleet.asked == 0


@pytest.mark.parametrize(("caller", "image"), [("", OLDEST), (ONE, "")])
def test_where_its_condition_decides_nothing_it_is_not_asked(
    fleet: TargetFleet, caller: str, image: str
) -> None:
    """As where a person names an image, or a bot none."""
    fleet.lives()

    assert fleet.plan(image, CALLER=caller) == (0, 0)
    assert fleet.asked == 0


@pytest.mark.parametrize(("way", "code"), [(Behaviour.WELL, 1), (Behaviour.GARBAGE, 0)])
def test_an_answer_that_can_not_be_noted_counts_all_the_same(
    fleet: TargetFleet, caplog: pytest.LogCaptureFixture, way: Behaviour, code: int
) -> None:
    fleet.lives(way)
    fleet.front.refused["CreateTags"] = ""

    assert fleet.plan()[0] == code
    assert f"fleet.not_noted machine={fleet.machine} why=EC2 refused CreateTags" in caplog.text
    assert fleet.noted is None
