"""Where the registry comes from: its source for a minute, then what is known, with its age."""

import json
from pathlib import Path

import pytest

from fleet_control.error import ControlApiDown, RegistryError
from fleet_control.ledger import Revision
from fleet_control.registry_source import RegistryRead, RegistrySource
from tests.clock import HostClock, TurnedClock
from tests.fleet_control.test_registry import entry

ONE = json.dumps({"claw-1": entry(1)})
TWO = json.dumps({"claw-1": entry(1), "claw-2": entry(2)})


class Source:
    """The file at its source, which may change, break or go away."""

    def __init__(self, text: str = ONE) -> None:
        self.text = text
        self.version = 1
        self.revisions: tuple[Revision, ...] = ()
        self.gone = False
        self.asked = 0

    async def fetch(self) -> RegistryRead:
        self.asked += 1
        if self.gone:
            raise ControlApiDown("The Control API did not answer.")
        return RegistryRead(self.text, f"v{self.version}", self.revisions)


async def test_it_is_asked_once_a_minute_however_many_ask() -> None:
    source, clock = Source(), TurnedClock()
    registry = RegistrySource(source.fetch, clock)

    for _ in range(5):
        await registry.get()
    await clock.turn(59)
    await registry.get()

    assert source.asked == 1


async def test_the_branchs_revisions_come_with_it_and_no_older_ones_stay() -> None:
    source, clock = Source(), TurnedClock()
    source.revisions = (Revision("a" * 40, "A change", "2026-11-24T10:00:00Z"),)
    registry = RegistrySource(source.fetch, clock)
    first = await registry.get()

    source.gone = True
    await clock.turn(61)

    assert (first.revisions, (await registry.get()).revisions) == (source.revisions, ())


async def test_an_entry_added_at_the_source_is_known_a_minute_later() -> None:
    source, clock = Source(), TurnedClock()
    registry = RegistrySource(source.fetch, clock)
    await registry.get()

    source.text = TWO
    await clock.turn(61)

    assert (await registry.get()).registry.ids == ("claw-1", "claw-2")


async def test_with_the_source_gone_what_was_known_stays_with_its_age() -> None:
    source, clock = Source(TWO), TurnedClock()
    registry = RegistrySource(source.fetch, clock)
    first = await registry.get()

    source.gone = True
    await clock.turn(300)
    known = await registry.get()

    assert known.registry.ids == ("claw-1", "claw-2")
    assert not known.fresh
    assert known.read_at == first.read_at
    assert "did not answer" in known.trouble


async def test_a_broken_file_at_the_source_does_not_replace_a_good_one() -> None:
    source, clock = Source(), TurnedClock()
    registry = RegistrySource(source.fetch, clock)
    await registry.get()

    source.text = "{}"
    await clock.turn(61)
    known = await registry.get()

    assert known.registry.ids == ("claw-1",)
    assert not known.fresh
    assert "empty" in known.trouble


async def test_a_local_copy_serves_where_nothing_else_is_known(tmp_path: Path) -> None:
    local = tmp_path / "instances.json"
    local.write_text(ONE)
    source = Source()
    source.gone = True

    known = await RegistrySource(source.fetch, TurnedClock(), local).get()

    assert known.registry.ids == ("claw-1",)
    assert not known.fresh
    assert known.read_at == local.stat().st_mtime


async def test_a_clock_set_back_keeps_nothing_for_longer() -> None:
    source, clock = Source(), TurnedClock()
    host = HostClock(clock)
    registry = RegistrySource(source.fetch, host)
    await registry.get()

    source.text, host.off = TWO, -3600.0
    await clock.turn(60)

    assert (await registry.get()).registry.ids == ("claw-1", "claw-2")


@pytest.mark.parametrize(
    ("copy", "gone", "said"),
    [
        ("", True, ", and there is no copy at {}: The Control API did not answer."),
        ("{}", True, ", and the copy at {} is not valid: The Control API did not answer."),
        (
            "",
            False,
            ", and there is no copy at {}: "
            "The registry is not valid: it is empty; an empty fleet would remove every host.",
        ),
    ],
    ids=["not reached", "a broken copy", "not valid at its source"],
)
async def test_with_neither_source_nor_copy_it_says_which_it_was(
    tmp_path: Path, copy: str, gone: bool, said: str
) -> None:
    local = tmp_path / "none.json"
    if copy:
        local.write_text(copy)
    source = Source("{}")
    source.gone = gone

    with pytest.raises(RegistryError) as raised:
        await RegistrySource(source.fetch, TurnedClock(), local).get()

    assert str(raised.value) == "The registry can't be read at its source" + said.format(local)


async def test_a_source_that_did_not_answer_is_not_called_invalid() -> None:
    source = Source()
    source.gone = True

    with pytest.raises(RegistryError) as raised:
        await RegistrySource(source.fetch, TurnedClock()).get()

    assert str(raised.value) == (
        "The registry can't be read at its source: The Control API did not answer."
    )
