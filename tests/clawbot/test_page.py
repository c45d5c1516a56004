"""Every front says which page it shows, and that there is no other where one was asked for."""

import pytest

from clawbot.discord.embeds import embed
from clawbot.page import page
from clawbot.replies import StatusReport
from clawbot.telegram import messages as telegram
from sandbox.terminal.markup import render
from tests.fleet_control.fleets import NOW, seen


@pytest.mark.parametrize(
    ("asked", "items", "number", "count"),
    [(0, "ab", 0, 3), (2, "e", 2, 3), (3, "e", 2, 3), (99, "e", 2, 3), (-1, "ab", 0, 3)],
)
def test_the_page_that_was_asked_for_or_the_nearest(
    asked: int, items: str, number: int, count: int
) -> None:
    shown = page("abcde", asked, 2)

    assert (shown.items, shown.number, shown.count) == (tuple(items), number, count)
    assert shown.asked == asked


@pytest.mark.parametrize(("number", "nearest"), [(-1, "page 1 of "), (98, "page {0} of {0}")])
def test_a_page_that_is_not_there_is_said_in_every_front(number: int, nearest: str) -> None:
    report = StatusReport(seen(f"claw-{one}" for one in range(100)), number)

    for said, count in (
        (render(report, NOW).plain, 5),
        (embed(report, NOW).footer.text or "", 9),
        (telegram.render(report, NOW).lower(), 10),
    ):
        assert f"there is no such page: this is {nearest.format(count)}" in said
