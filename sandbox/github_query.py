"""What a list of GitHub's is asked for: pages, and which runs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sandbox.run_record import Place, RunRecord, moment

_USUAL_PAGE = 30
_LARGEST_PAGE = 100

Row = TypeVar("Row")


def page(rows: Sequence[Row], query: Mapping[str, str]) -> Sequence[Row]:
    size = min(_number(query, "per_page", _USUAL_PAGE), _LARGEST_PAGE)
    first = (_number(query, "page", 1) - 1) * size
    return rows[first : first + size]


def _number(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, "")
    return max(1, int(text)) if text.isdecimal() else usual


def matching(runs: Iterable[RunRecord], query: Mapping[str, str], place: Place) -> list[RunRecord]:
    """Those that every filter of the query lets through, newest first."""
    tests: Mapping[str, Callable[[RunRecord, str], bool]] = {
        "actor": lambda run, name: run.actor.login == name,
        "branch": lambda _, branch: branch == place.branch,
        "created": lambda run, span: _within(moment(run.created) or "", span),
        "event": lambda _, event: event == "workflow_dispatch",
        "head_sha": lambda run, sha: run.head_sha == sha,
        "status": lambda run, status: status in (run.status, run.conclusion),
    }
    asked = [(tests[name], value) for name, value in query.items() if name in tests]
    found = [run for run in runs if all(test(run, value) for test, value in asked)]
    return sorted(found, key=lambda run: run.id, reverse=True)


def _within(when: str, span: str) -> bool:
    """`>=2026-11-24T08:00:00Z` and the like; a day is compared as a day."""
    if ".." in span:
        first, _, last = span.partition("..")
        return _within(when, f">={first}") and _within(when, f"<={last}")
    sign = next((one for one in (">=", "<=", ">", "<") if span.startswith(one)), "")
    limit = span.removeprefix(sign).replace("+00:00", "Z")
    part = when[: len(limit)]
    tests: dict[str, Any] = {
        ">=": part >= limit,
        "<=": part <= limit,
        ">": part > limit,
        "<": part < limit,
    }
    return bool(tests.get(sign, part == limit))
