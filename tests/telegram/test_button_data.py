"""What a button carries: its meaning and our mark, in 64 bytes."""

import pytest

from clawbot.proposal import PLAN_LENGTH
from clawbot.seal import Seal
from clawbot.telegram.button_data import (
    ANSWERS,
    SealedQuestion,
    TelegramAct,
    of_run,
    opened,
    read,
    run_of,
    sealed,
)
from sandbox.telegram_api.method import LONGEST_DATA

SEAL = Seal("secret")
# Telegram's ids have 52 bits at the most.
LONGEST = SealedQuestion(
    2**52 - 1, 2**35, ("-1001234567890", "9" * 10), ("unlock", "f" * 36), "f" * PLAN_LENGTH
)


@pytest.mark.parametrize("act", ANSWERS)
def test_the_longest_answer_fits_and_comes_back(act: TelegramAct) -> None:
    data = sealed(act, LONGEST, SEAL, "label", "shown")
    press = read(data)

    assert len(data.encode()) <= LONGEST_DATA
    assert press is not None
    assert opened(press, SEAL, LONGEST.place, LONGEST.words, "label", "shown") == LONGEST
    for seen in (("other", "shown"), ("label", "other")):
        assert opened(press, SEAL, LONGEST.place, LONGEST.words, *seen) is None
    assert opened(press, SEAL, ("1", "2"), LONGEST.words, "label", "shown") is None
    assert opened(press, SEAL, LONGEST.place, ("deploy", "all"), "label", "shown") is None
    assert opened(press, Seal("other"), LONGEST.place, LONGEST.words, "label", "shown") is None


@pytest.mark.parametrize("act", [TelegramAct.CANCEL, TelegramAct.RESUME])
def test_the_longest_run_fits_and_is_meant_by_its_own_act(act: TelegramAct) -> None:
    data = of_run(act, 10**19 - 1, SEAL, "label", "shown")
    press, other = read(data), "cr".replace(act.value, "")
    forged = read(data.replace(f":{act}:", f":{other}:"))

    assert len(data.encode()) <= LONGEST_DATA
    assert press is not None
    assert forged is not None
    assert run_of(press, SEAL, "label", "shown") == 10**19 - 1
    assert run_of(forged, SEAL, "label", "shown") is None
    assert run_of(press, SEAL, "label", "other") is None
