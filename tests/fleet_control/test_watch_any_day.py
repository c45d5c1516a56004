"""Whatever a day brings, what is told is so, is told once, and is all that is wrong in the end."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet_control.fault import SEVERITY, Problem
from fleet_control.finding import Finding
from fleet_control.watch import FEW, MANY, step
from fleet_control.watch_state import Concern, Owed, Telling, WatchState, read, write
from tests.fleet_control.watched_day import MIDNIGHT

HOSTS = tuple(f"claw-{number}" for number in range(1, MANY + 3))
FLAPS = "flaps"
BUSY = "busy"
WELL = ""
# Two bots whose clocks differ take turns: what lasted five minutes by theirs lasted so long.
SKEW_SECONDS = 60
SEEN_SECONDS, GONE_SECONDS = 300 - 2 * SKEW_SECONDS, 600 - 2 * SKEW_SECONDS

# Of whom, what it is with them from now on, for how many readings, how far apart, by whose clock.
Spell = tuple[tuple[str, ...], str, int, int, int]
WHO = st.sampled_from(
    [*((id_,) for id_ in HOSTS[:3]), HOSTS[:2], HOSTS[:FEW], HOSTS[: MANY + 1], HOSTS]
)
WHAT = st.sampled_from(
    [WELL, WELL, "not_healthy", "not_healthy", "missing", "retiring", "not_deployed", BUSY]
)
SPELL = st.tuples(
    WHO,
    WHAT,
    st.integers(1, 16),
    st.sampled_from([60, 60, 60, 150, 400]),
    st.sampled_from([0, 0, SKEW_SECONDS, -SKEW_SECONDS]),
)


@dataclass
class Channel:
    """What the channel knows, and what it may be told by the readings so far."""

    knows: dict[str, str] = field(default_factory=dict)
    readings: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    def told(self, owed: Owed) -> None:
        before = self.knows.pop(owed.of, None)
        match owed.kind:
            case Telling.WELL:
                assert before is not None, "an end of what was never told"
                assert not owed.of or {*self._of(owed.of, GONE_SECONDS)} == {WELL}
            case Telling.FLAPPING:
                assert before != FLAPS, "told twice that it comes and goes"
                self.knows[owed.of] = FLAPS
            case Telling.WRONG:
                worse = before in (None, FLAPS) or (
                    SEVERITY[owed.problem] < SEVERITY[Problem(before or "")]
                )
                assert worse, "told twice"
                assert not owed.of or not {*self._of(owed.of, SEEN_SECONDS)} & {WELL, BUSY}
                self.knows[owed.of] = owed.problem

    def _of(self, id_: str, seconds: int) -> Iterator[str]:
        """How it was with this host of late."""
        last, _ = self.readings[-1]
        return (how[id_] for at, how in self.readings if at >= last - seconds)

    def covers(self, problem: str) -> bool:
        """Whether the fleet is known to have that, or worse."""
        fleet = self.knows.get("")
        return fleet == FLAPS or bool(
            fleet and SEVERITY[Problem(fleet)] <= SEVERITY[Problem(problem)]
        )


def watched(spells: list[Spell]) -> Channel:
    """The channel after these spells, and an hour of readings in which nothing changes."""
    state, now, channel = WatchState(), int(MIDNIGHT), Channel()
    how = dict.fromkeys(HOSTS, WELL)
    for who, what, often, apart, skew in [*spells, ((), WELL, 60, 60, 0)]:
        how = how | dict.fromkeys(who, what)
        for _ in range(often):
            now += apart
            channel.readings.append((now, how))
            busy = [id_ for id_, one in how.items() if one == BUSY]
            found = [
                Finding(id_, Problem(one), "")
                for id_, one in how.items()
                if one not in (WELL, BUSY)
            ]
            state, _ = step(state, found, busy, now + skew)
            for owed in state.pending:
                channel.told(owed)
            kept_as = read(write(state.sent))
            assert kept_as == state.sent
            state = kept_as
            if "" in channel.knows:
                kept = {key.of for key in state.courses if key.concern is Concern.HOST}
                channel.knows = {id_: one for id_, one in channel.knows.items() if id_ in kept}
    return channel


@settings(max_examples=40, deadline=None)
@given(st.lists(SPELL, max_size=14))
@example([(HOSTS, "retiring", 9, 60, 0), (HOSTS[:1], "missing", 1, 60, 0)])
def test_whatever_is_read_nothing_is_told_twice_or_untrue_and_all_that_lasts_is_told(
    spells: list[Spell],
) -> None:
    channel = watched(spells)

    _, how = channel.readings[-1]
    for id_, one in how.items():
        known = channel.knows.get(id_)
        if one == WELL:
            assert known is None
        elif one != BUSY and not channel.covers(one):
            assert known is not None
            assert SEVERITY[Problem(known)] <= SEVERITY[Problem(one)]
    if "" in channel.knows:
        assert sum(one != WELL for one in how.values()) > FEW
