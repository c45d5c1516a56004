"""What a person would want to be told of a fleet on a day of hostile readings, and no more."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fleet_control.fault import TOKEN_ENDS_SECONDS
from fleet_control.finding import Finding
from fleet_control.host import Health, Host, HostState
from fleet_control.host_answer import HostAnswer
from fleet_control.ledger import Run
from fleet_control.watch import (
    findings,
    is_reading,
    step,
    unsure,
)
from fleet_control.watch_report import Report
from fleet_control.watch_state import (
    LONGEST,
    read,
    write,
)
from tests.fleet_control.fleets import DAY, moment, run
from tests.fleet_control.watched_day import (
    IDS,
    IMAGE,
    MIDNIGHT,
    Day,
    at,
    gone,
    ill,
    minute,
    starts,
)

LOOPS = "clawdinator.service is activating (auto-restart, restarted 7 times)"


def told(day: Day) -> Iterator[str]:
    """What the channel is told that day, each with its time; the state is kept as text."""
    kept = ""
    for now, status, ledger in day.readings():
        if not is_reading(status):
            continue
        state, report = step(read(kept), findings(status), unsure(status, ledger), status.taken)
        kept = write(state.sent)
        assert kept.isascii()
        assert len(kept) <= LONGEST == 6000
        if report:
            yield f"{now // 60:02}:{now % 60:02} {worded(report)}"


def worded(report: Report) -> str:
    said = [_worded(kind, found) for kind, found in _kinds(report) if found]
    return " | ".join(said)


def _kinds(report: Report) -> Iterable[tuple[str, tuple[Finding, ...]]]:
    return ("WRONG", report.wrong), ("FLAPS", report.flapping), ("WELL", report.well)


def _worded(kind: str, found: tuple[Finding, ...]) -> str:
    each = (f"{one.of or 'the fleet'} {one.words}. {one.repair}".rstrip() for one in found)
    return f"{kind} {' + '.join(each)}"


def retires(host: Host) -> Host:
    return replace(host, health=Health.ENDING, ill="EC2 retires it on 2026-10-01 at 10:00 UTC")


def other_image(host: Host) -> Host:
    return replace(host, image="ami-0000000000000ccc0", launched=at("19:00"))


def loops(host: Host) -> Host:
    return replace(host, launched=at("22:25"), answer=HostAnswer(False, at("22:30"), LOOPS))


def other_type(host: Host) -> Host:
    return replace(host, type="t3.small")


def waits_for_a_reviewer(now: int) -> Run | None:
    asked = moment(at("20:00"))
    return run(90, status="waiting", conclusion=None, target="claw-11", created=asked)


def a_day_of_hostile_readings() -> Day:
    day = Day(token_ends=at("11:00") + TOKEN_ENDS_SECONDS)
    # One host is ill for an hour; another for one reading.
    day.change("claw-2", "01:00", "02:00", ill)
    day.change("claw-3", "02:30", "02:31", ill)
    # Two die a minute apart, and one deploy brings both back.
    day.change("claw-4", "03:00", "03:20", gone)
    day.change("claw-5", "03:01", "03:25", gone)
    day.deploy(1, "03:20", 5, "claw-4", "claw-5")
    # One comes and goes for an hour.
    for began in range(minute("04:00"), minute("05:00"), 8):
        day.changes.append(("claw-6", began, began + 3, ill))
    # One is ill, then gone, then launched by hand.
    day.change("claw-7", "06:00", "06:30", ill)
    day.change("claw-7", "06:30", "07:00", gone)
    day.change("claw-7", "07:00", "07:05", starts)
    # The Control API is away for an hour, while one is ill that was told, and one that was not yet.
    day.change("claw-9", "07:40", "09:30", ill)
    day.change("claw-8", "07:58", "09:50", ill)
    day.pauses("08:00", "09:00")
    day.shows_nothing("10:10", "10:30")
    # The token's last two weeks begin at 11:00.
    day.change("claw-10", "12:00", "13:00", retires)
    day.deploy(2, "13:00", 10, "claw-10")
    day.stray(replace(_stray(), name="Old claw"), "14:00", "14:40")
    # The newest image is three weeks old at 15:00.
    day.images = (replace(IMAGE, created=at("15:00") - 21 * DAY - 1),)
    # All are gone at once, and a deploy of all brings them back one by one.
    for number, id_ in enumerate(IDS):
        day.changes.append((id_, minute("16:00"), minute("16:10") + 6 * number, gone))
    day.deploy(3, "16:10", 6, *IDS)
    # One is replaced by hand with another image, and mended by a deploy.
    day.change("claw-1", "19:00", "19:05", starts)
    day.change("claw-1", "19:05", "19:30", other_image)
    day.deploy(4, "19:30", 10, "claw-1")
    # A run waits for a reviewer from 20:00 on, of a host that falls ill.
    day.deploys.append(waits_for_a_reviewer)
    day.change("claw-11", "20:30", "21:00", ill)
    # While one is deployed, and is ill at first, another falls ill.
    day.deploy(5, "21:30", 10, "claw-3")
    day.change("claw-3", "21:40", "21:49", ill)
    day.change("claw-12", "21:32", "22:00", ill)
    # A deploy fails at a host that starts again and again.
    day.deploy(6, "22:20", 10, "claw-2", ends="failure")
    day.change("claw-2", "22:30", "24:00", loops)
    day.stray(replace(_stray(), name="claw-5"), "23:00", "23:20")
    # Nobody is told of what a next deploy mends by itself.
    day.change("claw-6", "00:00", "24:00", other_type)
    return day


def _stray() -> Host:
    return Host(
        "i-00000099",
        "",
        HostState.RUNNING,
        Health.OK,
        "t3.large",
        IMAGE.id,
        MIDNIGHT - 3 * DAY,
    )


def test_a_day_of_hostile_readings_leads_to_these_messages_and_no_other() -> None:
    fails = "fails EC2's status checks. `/fleet deploy {0}` replaces it."
    none = "no host. `/fleet deploy {0}` creates it."

    assert [*told(a_day_of_hostile_readings())] == [
        f"01:05 WRONG claw-2 {fails.format('claw-2')}",
        "02:10 WELL claw-2 not healthy.",
        f"03:06 WRONG claw-4 {none.format('claw-4')} + claw-5 {none.format('claw-5')}",
        "03:45 WELL claw-4 no host.",
        "03:50 WELL claw-5 no host.",
        "04:19 FLAPS claw-6 not healthy, 3 times within two hours. "
        "`/fleet deploy claw-6` replaces it.",
        "05:59 WELL claw-6 not healthy.",
        f"06:05 WRONG claw-7 {fails.format('claw-7')}",
        f"06:35 WRONG claw-7 {none.format('claw-7')}",
        "07:15 WELL claw-7 no host.",
        f"07:45 WRONG claw-9 {fails.format('claw-9')}",
        f"09:05 WRONG claw-8 {fails.format('claw-8')}",
        "09:40 WELL claw-9 not healthy.",
        "10:00 WELL claw-8 not healthy.",
        "11:05 WRONG the fleet GitHub's token ends on 2026-10-06. "
        "Make another at GitHub, then type `clawbot secrets github` at a desk.",
        "12:05 WRONG claw-10 EC2 retires it on 2026-10-01 at 10:00 UTC. "
        "`/fleet deploy claw-10` replaces it before that.",
        "13:30 WELL claw-10 to be ended by EC2.",
        "14:05 WRONG i-00000099 is not in the registry: made by nobody I know. "
        "`aws ec2 terminate-instances --instance-ids i-00000099` removes it by hand.",
        "14:50 WELL i-00000099 not in the registry.",
        "15:05 WRONG the fleet the newest image, ami-0000000000000aaa0, was built on 2026-09-01; "
        "one is built every week. Type `gh workflow run image-build.yml` at a desk.",
        "16:05 WRONG the fleet 12 instances: no host (claw-1, claw-2, claw-3, claw-4, claw-5 and "
        "7 more). `/fleet deploy claw-1` creates it, and with it all that have none.",
        "17:18 WELL the fleet many instances: no host.",
        "19:10 WRONG claw-1 is ami-0000000000000ccc0 (bbbbbbb), where run 3 left "
        "ami-0000000000000aaa0 (bbbbbbb). `/fleet deploy claw-1` replaces it.",
        "20:00 WELL claw-1 not as deployed.",
        f"20:35 WRONG claw-11 {fails.format('claw-11')}",
        "21:10 WELL claw-11 not healthy.",
        f"21:37 WRONG claw-12 {fails.format('claw-12')}",
        "22:10 WELL claw-12 not healthy.",
        "22:45 WRONG claw-2 kept restarting when a run asked it last. "
        "`/fleet rollback claw-2` goes back, `/fleet deploy claw-2` replaces it.",
        "23:05 WRONG claw-5 2 hosts of this name: also i-00000099. "
        "`aws ec2 terminate-instances --instance-ids i-00000099` ends the older, where no deploy "
        "made that.",
        "23:30 WELL claw-5 two hosts of one name.",
    ]
