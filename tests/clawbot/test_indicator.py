"""Of a deploy's hosts all are told while they can be named, and of more those that move."""

from collections.abc import Sequence

import pytest

from clawbot.indicator import hosts_in
from clawbot.progress import HostProgress, HostStage, Progress, Stage


def shown(stages: Sequence[HostStage]) -> list[str]:
    hosts = tuple(
        HostProgress(f"claw-{n}", "ami-1", "ami-2", stage) for n, stage in enumerate(stages)
    )
    return [*hosts_in(Progress(Stage.RUNNING, "all", hosts=hosts), 20, lambda host: host.id)]


@pytest.mark.parametrize(("count", "told"), [(1, 1), (2, 1 + 2), (12, 1 + 12), (13, 1), (250, 1)])
def test_up_to_twelve_are_named_and_of_two_or_more_there_is_a_bar(count: int, told: int) -> None:
    assert len(shown([HostStage.WAITING] * count)) == told


def test_of_more_those_that_move_or_failed_are_named_and_of_these_six() -> None:
    healthy, moving = [HostStage.HEALTHY], [HostStage.REPLACING, HostStage.FAILED]

    assert shown(healthy * 11 + moving)[1:] == ["claw-11", "claw-12"]
    assert shown(healthy * 11 + moving * 4)[1:] == [f"claw-{n}" for n in range(11, 17)]
