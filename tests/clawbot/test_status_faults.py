"""What is wrong is told alike by every status, whichever way it is asked for."""

from dataclasses import replace

from clawbot.discord.embeds import embed
from clawbot.discord.markup import RED, YELLOW
from clawbot.replies import StatusReport
from clawbot.telegram.messages import render
from fleet_control import json_output, text_output
from fleet_control.deployed import Deployed, HostLeft
from fleet_control.host import Health, Host, Reading
from fleet_control.host_answer import HostAnswer
from fleet_control.status import FleetStatus, shape
from sandbox.terminal import status as terminal
from tests.fleet_control.fleets import DAY, IDS, IMAGES, NEW, NOW, host, known

TOKEN = "GitHub's token ends on 2026-09-24"
LOOPS = "clawdinator.service is activating (auto-restart, restarted 7 times)"
RETIRING = replace(host("claw-1", health=Health.ENDING), ill="EC2 retires it soon")
LOOPING = replace(host("claw-2", 2), answer=HostAnswer(False, NOW - 60, LOOPS))
MOVED = replace(host("claw-3", 3), image="ami-0", revision="c" * 40)
LEFT = HostLeft(NEW.id, "b" * 7, 7, NOW - DAY)


def status(*hosts: Host) -> FleetStatus:
    registry = replace(known(*IDS), token_ends=NOW + 3 * DAY)
    old = tuple(replace(one, created=one.created - 30 * DAY) for one in IMAGES)
    ledger = Deployed(NOW, {"claw-3": LEFT})
    return shape(registry, Reading(hosts, old, NOW), ledger)


WRONG = status(RETIRING, LOOPING, MOVED)


def shown(fleet: FleetStatus) -> dict[str, str]:
    report = StatusReport(fleet)
    return {
        "discord": str(embed(report, NOW).description),
        "telegram": render(report, NOW),
        "terminal": "\n".join(str(line) for line in terminal.lines(report, NOW)),
        "fleet-control": text_output.status(fleet, NOW),
    }


def test_each_front_and_the_command_tell_every_fault() -> None:
    words = (
        "EC2 retires it soon",
        "kept restarting when a run asked it last",
        f"is ami-0 (ccccccc), where run 7 left {NEW.id} (bbbbbbb)",
        TOKEN,
        f"The newest image, {NEW.id}, was built on ",
        "clawbot secrets github",
        "gh workflow run image-build.yml",
    )

    for front, text in shown(WRONG).items():
        assert [one for one in words if one not in text] == [], front


def test_a_program_is_told_them_with_what_mends_each() -> None:
    told = json_output.status(WRONG)

    assert [one["problem"] for one in told["faults"]] == ["token_ends", "no_image_built"]
    assert told["problems"] == {
        "retiring": 1,
        "crash_looping": 1,
        "not_as_deployed": 1,
        "older_image": 1,
    }
    assert told["instances"][0]["faults"] == [
        {
            "problem": "retiring",
            "words": "EC2 retires it soon",
            "repair": "`/fleet deploy claw-1` replaces it before that.",
        }
    ]


def test_how_many_have_what_is_counted_in_words() -> None:
    assert "1 retiring, 1 crash-looping, 1 not as deployed" in shown(WRONG)["fleet-control"]


def test_what_keeps_a_host_from_serving_is_red_and_what_is_the_fleet_s_yellow() -> None:
    well = status(*(host(id_, number) for number, id_ in enumerate(IDS, 1)))
    fresh = replace(well, faults=())

    colours = [
        str(embed(StatusReport(one), NOW).colour)
        for one in (WRONG, status(LOOPING), well, replace(fresh, rows=()))
    ]
    assert colours[:2] == [f"#{RED:06x}"] * 2
    assert colours[2] == f"#{YELLOW:06x}"
    assert colours[3] not in colours[:3]
    assert "no instance has a fault" in text_output.status(replace(well, rows=()), NOW)
    assert "nothing is wrong" in text_output.status(replace(fresh, rows=()), NOW)
