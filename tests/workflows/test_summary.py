"""A summary is as long as a person likes to read."""

import pytest

from workflows.fleet_deploy import summary
from workflows.fleet_deploy.revision import DeployedRevision

NOW = 1_790_000_000.0


def test_fifty_hosts_have_a_row_and_the_rest_are_counted() -> None:
    said = summary.hosts([f"claw-{number}" for number in range(55)], {})

    assert said.count("| no host |") == 50
    assert said.endswith("\n… and 5 more.")
    assert "more" not in summary.hosts([f"claw-{number}" for number in range(50)], {})


def test_of_a_commit_s_first_line_eighty_characters_are_shown() -> None:
    one = DeployedRevision("a" * 40, "x" * 200, NOW - 60)

    assert summary.revision(one, NOW).partition(" old: ")[2] == f"`{'x' * 80}`."


@pytest.mark.parametrize(("seconds", "said"), [(89, "89 s"), (90, "2 min"), (600, "10 min")])
def test_a_span_is_told_in_minutes_once_it_is_some(seconds: float, said: str) -> None:
    assert summary.span(seconds) == said
