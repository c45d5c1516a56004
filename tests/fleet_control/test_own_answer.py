"""A host's last own answer, as a tag keeps it: written plainly, and read as a stranger's."""

import pytest

from fleet_control.own_answer import LONGEST, OwnAnswer, read, write

WHEN = 1_795_756_200.0


@pytest.mark.parametrize(
    "answer",
    [OwnAnswer(True, WHEN), OwnAnswer(False, WHEN, "a.service is activating (auto-restart)")],
)
def test_what_is_written_is_read(answer: OwnAnswer) -> None:
    assert read(write(answer)) == answer


def test_it_is_capped_and_plain() -> None:
    written = write(OwnAnswer(False, WHEN, "<@1> `x`\n" * 99))

    assert len(written) <= LONGEST
    assert read(written)
    assert not set("<@`\n") & set(written)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "well",
        "well 2026-13-27T05:10Z",
        "well 2026-11-27T05:10Z x",
        "ill 2026-11-27T05:10Z",
        "ill 2026-11-27T05:10Z <@1>",
        "ill 2026-11-27T05:10Z " + "x" * 256,
    ],
)
def test_what_no_run_wrote_is_none(text: str) -> None:
    assert read(text) is None
