"""The ids of buttons: their whole meaning in a hundred characters."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawbot.discord import buttons
from clawbot.discord.buttons import DiscordAct, DiscordPress
from clawbot.proposal import PLAN_LENGTH
from clawbot.replies import Question
from clawbot.seal import Seal
from fleet_control.ledger import Operation
from sandbox.discord_api import limit

SEAL = Seal("secret")
SNOWFLAKES = st.integers(1, 2**64 - 1)


def ask(target: str, image_or_commit: str, asker: int, asked: int, expires: float) -> Question:
    return Question(
        target, image_or_commit, f"discord:{asker}", str(asked), expires, "why", (), (), ()
    )


@given(
    target=st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,15}", fullmatch=True),
    image_or_commit=st.just("") | st.from_regex(r"ami-[0-9a-f]{17}|[0-9a-f]{7,12}", fullmatch=True),
    asker=SNOWFLAKES,
    asked=SNOWFLAKES,
    expires=st.integers(1, 2**35),
)
def test_a_question_comes_back_from_its_yes(
    target: str, image_or_commit: str, asker: int, asked: int, expires: int
) -> None:
    press = buttons.answer(ask(target, image_or_commit, asker, asked, expires), DiscordAct.YES)
    assert press is not None
    id_ = press.custom_id(SEAL, "bot", "channel")
    read = buttons.read(id_, SEAL, "bot", "channel")
    assert read == press
    question = buttons.question(press)
    assert (question.target, question.image_or_commit) == (target, image_or_commit)
    assert (question.asker, question.asked) == (f"discord:{asker}", str(asked))
    assert question.expires == expires


def test_the_longest_fits() -> None:
    question = ask("a" * 32, "ami-" + "f" * 17, 2**64 - 1, 2**64 - 1, 2**35)
    press = buttons.answer(question, DiscordAct.YES)
    assert press is not None
    assert len(press.custom_id(SEAL, "bot", "channel")) <= limit.CUSTOM_ID


@pytest.mark.parametrize("act", [DiscordAct.YES, DiscordAct.OVERRIDE, DiscordAct.NO])
@pytest.mark.parametrize(
    ("operation", "target", "plan"),
    [
        (Operation.ROLLBACK, "a" * 32, "f" * PLAN_LENGTH),
        (Operation.RESUME, "9" * 19, "0" * PLAN_LENGTH),
        (Operation.UNLOCK, "f" * 36, ""),
        (Operation.DEPLOY, "a" * 32, ""),
    ],
)
def test_the_longest_of_each_operation_fits_and_comes_back(
    act: DiscordAct, operation: Operation, target: str, plan: str
) -> None:
    longest = ask(target, "", 2**64 - 1, 2**64 - 1, 2**35)
    press = buttons.answer(replace(longest, operation=operation, plan=plan), act)
    assert press is not None
    id_ = press.custom_id(SEAL, "bot", "channel")
    assert len(id_) <= limit.CUSTOM_ID
    assert buttons.read(id_, SEAL, "bot", "channel") == press
    asked = buttons.question(press)
    assert (asked.operation, asked.target, asked.plan) == (operation, target, plan)
    assert asked.override == ("freeze" if act is DiscordAct.OVERRIDE else "")


def test_the_longest_run_can_be_gone_on_with() -> None:
    id_ = DiscordPress(DiscordAct.RESUME, "9" * 19).custom_id(SEAL, "bot", "channel")
    assert len(id_) <= limit.CUSTOM_ID
    assert buttons.read(id_, SEAL, "bot", "channel") == DiscordPress(DiscordAct.RESUME, "9" * 19)


def test_of_a_whole_commit_there_are_as_many_digits_as_a_title_has() -> None:
    press = buttons.answer(ask("all", "0123456789" * 4, 1, 1, 1), DiscordAct.YES)
    assert press is not None
    assert buttons.question(press).image_or_commit == "012345678901"


def test_what_is_no_image_has_no_button() -> None:
    assert buttons.answer(ask("all", "x" * 300, 1, 1, 1), DiscordAct.YES) is None


@given(st.integers(0, 97), st.characters(codec="ascii"))
def test_no_character_can_be_changed(place: int, character: str) -> None:
    id_ = DiscordPress(DiscordAct.YES, "claw-1,,abc", 5, 6).custom_id(SEAL, "bot", "channel")
    place %= len(id_)
    altered = id_[:place] + character + id_[place + 1 :]
    assert altered == id_ or buttons.read(altered, SEAL, "bot", "channel") is None


def test_it_holds_in_its_own_place_only() -> None:
    id_ = DiscordPress(DiscordAct.CANCEL, "17").custom_id(SEAL, "bot", "channel")
    assert buttons.read(id_, SEAL, "bot", "another") is None
    assert buttons.read(id_, SEAL, "another", "channel") is None
    assert buttons.read(id_, Seal("other"), "bot", "channel") is None
    assert buttons.read("somebody's", SEAL, "bot", "channel") is None
