"""What the Control API and EC2 show of whether a deploy would work, each broken by itself."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from fleet_control.api_preflight import without
from fleet_control.control_api import ControlApi
from fleet_control.ec2 import Ec2Reader
from fleet_control.error import ControlApiDown
from fleet_control.fleet import Fleet
from fleet_control.fleet_preflight import preflight
from fleet_control.preflight import Check, Outcome, Point
from fleet_control.registry_source import RegistrySource
from sandbox.loopback import listen, url_of
from tests.clawbot.control_api import Api, control_api
from tests.clock import TurnedClock
from tests.fleet_control import aws
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.fleets import registry_text

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

SEEN_HERE = {
    *(Point.API, Point.TOKEN, Point.SIGNATURE, Point.CLOCK, Point.REGISTRY, Point.HOSTS),
    *(Point.IMAGE, Point.BRANCH),
}
BY_THE_API = (
    *(Point.GITHUB, Point.GITHUB_TOKEN, Point.QUOTA, Point.WORKFLOW, Point.DISPATCH),
    *(Point.HOST_FILES, Point.TABLE),
)
COMMITS = tuple(digit * 40 for digit in "abc")


def image(boot: str = "2", commit: str = COMMITS[0]) -> aws.Scripted:
    """One image, as old as three days by the tests' clock."""
    status, text = aws.image("ami-1", "2026-09-18T13:33:20.000Z")
    tags = "".join(
        f"<item><key>{name}</key><value>{value}</value></item>"
        for name, value in (("boot", boot), ("clawdinator-commit", commit))
        if value
    )
    return status, text.replace("</creationDate>", f"</creationDate><tagSet>{tags}</tagSet>")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def fake(clock: TurnedClock) -> AsyncIterator[tuple[Api, ControlApi]]:
    async with control_api(clock) as served:
        served[0].registry = registry_text("claw-1", "claw-2", "claw-3")
        served[0].revisions = [
            {"commit": one, "subject": "A change", "committed": "2026-09-18T13:00:00Z"}
            for one in COMMITS
        ]
        served[0].checks = [
            {"name": point, "outcome": "ok", "told": "Well.", "advice": ""} for point in BY_THE_API
        ]
        yield served


@pytest.fixture
def control(fake: tuple[Api, ControlApi]) -> Api:
    return fake[0]


@pytest.fixture
def fleet(
    fake: tuple[Api, ControlApi], ec2_client: "EC2Client", three_hosts: FakeEc2, clock: TurnedClock
) -> Fleet:
    three_hosts.scripts["DescribeImages"] = [image()]
    three_hosts.scripts["DescribeInstances"] = [
        aws.instances("i-1", "i-2", "i-3", revision=COMMITS[1])
    ]
    api = fake[1]
    return Fleet(RegistrySource(api.registry, clock), Ec2Reader(ec2_client, clock), api, clock)


async def seen(fleet: Fleet, clock: TurnedClock, speaks_as: str = "chat:demo") -> dict[str, Check]:
    return {one.name: one for one in await preflight(fleet, clock, speaks_as=speaks_as)}


def having(found: dict[str, Check], outcome: Outcome) -> set[str]:
    return {name for name, one in found.items() if one.outcome is outcome}


async def test_all_is_well(fleet: Fleet, control: Api, clock: TurnedClock) -> None:
    found = await seen(fleet, clock)

    assert list(found) == list(Point)
    assert having(found, Outcome.WRONG) == set()
    assert having(found, Outcome.OK) == {*SEEN_HERE, *BY_THE_API}
    assert found[Point.SIGNATURE].told == "By its key this program is the bot `demo`."
    assert found[Point.REGISTRY].told == "It has 3 instances."
    assert found[Point.HOSTS].told.startswith("EC2 shows 3")
    assert found[Point.IMAGE].told == "`ami-1`, 3 days old."
    assert found[Point.BRANCH].told == (
        "Its newest revision is `aaaaaaa`. 3 of 3 hosts are of another."
    )
    assert control.count("deploy") == 0


REFUSED = {"ok": False, "error": "In words."}


@pytest.mark.parametrize(
    ("status", "body", "wrong", "told"),
    [
        (401, {**REFUSED, "code": "unauthorized"}, Point.TOKEN, "In words."),
        (403, {**REFUSED, "code": "forged_caller"}, Point.SIGNATURE, "In words."),
        (403, {**REFUSED, "code": "unknown_caller"}, Point.SIGNATURE, "In words."),
        (403, {**REFUSED, "code": "unproven_caller"}, Point.SIGNATURE, "In words."),
        (403, {"Message": "Forbidden"}, Point.SIGNATURE, "AWS refused the call (HTTP 403)"),
        (403, {"message": "The request signature expired: Signature expired"}, Point.CLOCK, "time"),
        (429, {"Message": "Rate Exceeded."}, Point.API, "AWS refused the call (HTTP 429)"),
        (500, {**REFUSED, "code": "misconfigured"}, Point.API, "In words."),
        (500, {**REFUSED, "code": "internal"}, Point.API, "In words."),
        (502, {"Message": "Internal Server Error"}, Point.API, "can't be read (HTTP 502)"),
    ],
)
async def test_what_the_api_refuses_is_told_of_one_point(
    fleet: Fleet,
    control: Api,
    clock: TurnedClock,
    status: int,
    body: dict[str, Any],
    wrong: Point,
    told: str,
) -> None:
    control.refused["preflight"] = (status, body)

    found = await seen(fleet, clock)

    assert having(found, Outcome.WRONG) == {wrong}
    assert told in found[wrong].told
    assert found[wrong].advice
    assert set(BY_THE_API) <= having(found, Outcome.UNSEEN)
    if wrong is Point.TOKEN:
        assert found[Point.SIGNATURE].outcome is Outcome.UNSEEN
    if wrong not in (Point.API, Point.TOKEN):
        assert found[Point.API].outcome is Outcome.OK


@pytest.mark.parametrize(
    ("code", "told"),
    [("bad_request", "The Control API is older than this."), ("github_busy", "In words.")],
)
async def test_what_an_older_or_a_busy_api_does_not_tell_is_unseen(
    fleet: Fleet, control: Api, clock: TurnedClock, code: str, told: str
) -> None:
    control.refused["preflight"] = (400, {**REFUSED, "code": code})
    found = await seen(fleet, clock)
    assert having(found, Outcome.WRONG) == set()
    assert having(found, Outcome.OK) == SEEN_HERE
    assert {found[point].told for point in BY_THE_API} == {told}


async def test_an_api_that_is_away_is_wrong_alone(
    fleet: Fleet, control: Api, clock: TurnedClock
) -> None:
    gone = listen(0)
    url = url_of(gone)
    gone.close()
    async with ControlApi(url, "token", "AK", "secret", "eu-central-1", clock) as api:
        away = Fleet(RegistrySource(api.registry, clock), fleet.ec2, api, clock)
        found = await seen(away, clock)
    assert having(found, Outcome.WRONG) == {Point.API}
    assert having(found, Outcome.OK) == {Point.HOSTS, Point.IMAGE}
    assert found[Point.WORKFLOW].told == "This could not be seen, for something else is wrong."


async def test_a_key_of_another_is_wrong(fleet: Fleet, control: Api, clock: TurnedClock) -> None:
    control.signer = "agent:claw-1"
    found = await seen(fleet, clock)
    assert having(found, Outcome.WRONG) == {Point.SIGNATURE}
    assert found[Point.SIGNATURE].told == (
        "By its key this program is the agent of `claw-1`, and it should be `chat:demo`."
    )
    assert (await seen(fleet, clock, ""))[Point.SIGNATURE].outcome is Outcome.OK


@pytest.mark.parametrize(
    ("off", "outcome", "told"),
    [
        (0, Outcome.OK, "It agrees with AWS's clock."),
        (-57, Outcome.OK, "It agrees with AWS's clock."),
        (-63, Outcome.OK, "It is 1 min ahead of AWS's clock, which refuses us from 5 min on."),
        (298, Outcome.OK, "It is 4 min behind"),
        (302, Outcome.WRONG, "This machine's clock is 5 min behind AWS's clock."),
        (-302, Outcome.WRONG, "This machine's clock is 5 min ahead of AWS's clock."),
    ],
)
async def test_the_clock(
    fleet: Fleet, control: Api, clock: TurnedClock, off: float, outcome: Outcome, told: str
) -> None:
    control.off = off
    check = (await seen(fleet, clock))[Point.CLOCK]
    assert (check.outcome, check.told[: len(told)]) == (outcome, told)
    assert ("timedatectl" in check.advice) is (outcome is Outcome.WRONG)


def test_a_certificate_of_another_time_is_the_clocks_fault() -> None:
    error = ControlApiDown("The Control API can't be reached.")
    error.__cause__ = ssl.SSLCertVerificationError("certificate has expired")
    assert [one.name for one in without(error, 0.0)] == [Point.CLOCK]


@pytest.mark.parametrize(
    ("code", "off", "wrong"),
    [
        ("UnauthorizedOperation", 0, Point.HOSTS),
        ("AuthFailure", 0, Point.SIGNATURE),
        ("InvalidClientTokenId", 0, Point.SIGNATURE),
        ("SignatureDoesNotMatch", 0, Point.SIGNATURE),
        ("UnrecognizedClientException", 0, Point.SIGNATURE),
        ("AuthFailure", 600, Point.CLOCK),
        ("RequestExpired", 600, Point.CLOCK),
    ],
)
async def test_what_ec2_refuses_is_told_of_one_point(
    fleet: Fleet, three_hosts: FakeEc2, clock: TurnedClock, code: str, off: float, wrong: Point
) -> None:
    three_hosts.always(aws.error(400, code))
    three_hosts.off = off
    found = await seen(fleet, clock)
    assert having(found, Outcome.WRONG) == {wrong}
    assert {Point.IMAGE, Point.BRANCH} <= having(found, Outcome.UNSEEN)


async def test_an_ec2_that_hangs_is_wrong_alone(
    fleet: Fleet, three_hosts: FakeEc2, clock: TurnedClock
) -> None:
    let_go = asyncio.Event()
    loop = asyncio.get_running_loop()
    three_hosts.hold = lambda: asyncio.run_coroutine_threadsafe(let_go.wait(), loop).result(20)
    asked = asyncio.create_task(seen(fleet, clock))
    await clock.asleep(4)
    # All but what hangs has ended, and taken its deadline with it.
    while clock.sleeping > 2:  # noqa: ASYNC110  (the clock does not tell who left)
        await asyncio.sleep(0.01)
    await clock.turn(10)
    found = await asked
    let_go.set()
    await fleet.ec2.read()  # the one that hung, to its end
    assert having(found, Outcome.WRONG) == {Point.HOSTS}
    assert found[Point.HOSTS].told == "It did not answer in 10 s."


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (aws.EMPTY["DescribeImages"], "There is no available image of ours"),
        (image(boot="1"), "`ami-1` speaks the contract of boot of 1, and not of 2."),
        (image(boot=""), "`ami-1` speaks the contract of boot of an earlier version, and not of 2"),
    ],
)
async def test_an_image_that_no_host_could_boot(
    fleet: Fleet, three_hosts: FakeEc2, clock: TurnedClock, shown: aws.Scripted, told: str
) -> None:
    three_hosts.scripts["DescribeImages"] = [shown]
    found = await seen(fleet, clock)
    assert having(found, Outcome.WRONG) == {Point.IMAGE}
    assert found[Point.IMAGE].told.startswith(told)
    assert "`image-build`" in found[Point.IMAGE].advice


@pytest.mark.parametrize("state", ["terminated", "shutting-down"])
async def test_a_host_that_is_going_is_not_counted(
    fleet: Fleet, three_hosts: FakeEc2, clock: TurnedClock, state: str
) -> None:
    three_hosts.scripts["DescribeInstances"] = [
        aws.instances("i-1", "i-2", more="next", revision=COMMITS[1]),
        aws.instances("i-9", state=state),
    ]
    assert (await seen(fleet, clock))[Point.HOSTS].told.startswith("EC2 shows 2")


@pytest.mark.parametrize(
    ("commit", "told"),
    [
        (COMMITS[2], "The newest image is 2 behind: hosts build what it does not hold."),
        ("", "The newest image is of none of the newest: hosts build"),
    ],
)
async def test_a_branch_ahead_of_the_image_is_no_fault(
    fleet: Fleet, three_hosts: FakeEc2, clock: TurnedClock, commit: str, told: str
) -> None:
    three_hosts.scripts["DescribeImages"] = [image(commit=commit)]
    check = (await seen(fleet, clock))[Point.BRANCH]
    assert check.outcome is Outcome.OK
    assert told in check.told


async def test_a_registry_that_is_not_valid_is_wrong_and_one_that_is_not_read_unseen(
    fleet: Fleet, control: Api, clock: TurnedClock
) -> None:
    control.registry = '{"claw-1": {}}'
    found = await seen(fleet, clock)
    assert having(found, Outcome.WRONG) == {Point.REGISTRY}
    assert "claw-1" in found[Point.REGISTRY].told

    control.refused["registry"] = (502, {**REFUSED, "code": "github_refused"})
    await clock.turn(6)
    found = await seen(fleet, clock)
    assert having(found, Outcome.WRONG) == set()
    assert "In words." in found[Point.REGISTRY].told


async def test_what_a_newer_api_says_in_another_form_is_left_out(
    fleet: Fleet, control: Api, clock: TurnedClock
) -> None:
    control.checks += [
        {"name": Point.TABLE, "outcome": "doubtful", "told": "", "advice": ""},
        {"name": "another point", "outcome": "ok", "told": "", "advice": ""},
    ]
    found = await seen(fleet, clock)
    assert list(found) == list(Point)
    assert found[Point.TABLE].told == "Well."
