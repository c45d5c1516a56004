"""EC2, read by the real SDK: from moto, and from an EC2 that answers what it is told to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from fleet_control import ec2
from fleet_control.ec2 import Ec2Reader
from fleet_control.error import Ec2Error
from fleet_control.host import Checks, Health, HostState
from fleet_control.machine import (
    describe_health,
    describe_machines,
    find_health,
    find_machines,
)
from sandbox.image import images
from tests.clock import TurnedClock
from tests.fleet_control import aws
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.fleets import NOW
from tests.fleet_control.lambdas import SECRET_KEY

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# One process's moto is enough.
pytestmark = pytest.mark.xdist_group("fleet_moto")

OLDEST, MIDDLE, NEWEST = images(NOW)


@pytest.fixture(scope="module")
def moto_client(moto_url: str) -> "Iterator[EC2Client]":
    client = ec2.client("eu-central-1", "testing", SECRET_KEY, moto_url)
    yield client
    client.close()


@pytest.fixture
def moto(moto_client: "EC2Client") -> "EC2Client":
    """moto's EC2, with no host of ours in it."""
    ids = [machine.id for machine in describe_machines(moto_client)]
    if ids:
        moto_client.terminate_instances(InstanceIds=ids)
        moto_client.delete_tags(Resources=ids, Tags=[{"Key": "app"}])
    return moto_client


def launch(client: "EC2Client", name: str, app: str = "clawdinator") -> str:
    launched = client.run_instances(
        ImageId=MIDDLE.id,
        InstanceType="t3.small",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [{"Key": "app", "Value": app}, {"Key": "Name", "Value": name}],
            }
        ],
    )
    return launched["Instances"][0]["InstanceId"]


def test_a_host_is_read_whole(moto: "EC2Client") -> None:
    id_ = launch(moto, "claw-1")

    (host,) = ec2.read(moto, NOW).hosts

    assert (host.id, host.name, host.state) == (id_, "claw-1", HostState.RUNNING)
    assert (host.health, host.type, host.image) == (Health.OK, "t3.small", MIDDLE.id)
    assert host.launched > NOW
    assert host.address


def test_hosts_of_another_app_are_not_read(moto: "EC2Client") -> None:
    launch(moto, "elsewhere", app="other")

    assert ec2.read(moto, NOW).hosts == ()


def test_a_stopped_host_and_a_terminated_one_are_read_as_such(moto: "EC2Client") -> None:
    stopped, terminated = launch(moto, "claw-1"), launch(moto, "claw-2")
    moto.stop_instances(InstanceIds=[stopped])
    moto.terminate_instances(InstanceIds=[terminated])

    found = {host.id: (host.state, host.health) for host in ec2.read(moto, NOW).hosts}

    assert found == {
        stopped: (HostState.STOPPED, Health.UNKNOWN),
        terminated: (HostState.TERMINATED, Health.UNKNOWN),
    }


@pytest.mark.parametrize(
    ("state", "reason", "ending"),
    [
        ("shutting-down", "User initiated (2026-11-24 10:00:00 GMT)", 1_795_514_400.0),
        ("shutting-down", "User initiated (2026-11-24 10:00:00 UTC)", 1_795_514_400.0),
        ("shutting-down", "Server.SpotInstanceTermination: the price", None),
        ("shutting-down", "User initiated (2026-99-99 10:00:00 GMT)", None),
        ("shutting-down", "", None),
        ("running", "User initiated (2026-11-24 10:00:00 GMT)", None),
    ],
)
def test_since_when_a_machine_shuts_down_is_told_in_words(
    cloud: FakeEc2, ec2_client: "EC2Client", state: str, reason: str, ending: float | None
) -> None:
    cloud.scripts["DescribeInstances"] = [aws.instances("i-1", state=state, reason=reason)]

    (machine,) = describe_machines(ec2_client)

    assert machine.ending == ending


def test_images_come_newest_first_and_only_ours_that_are_tagged(moto: "EC2Client") -> None:
    untagged = moto.register_image(Name="untagged", RootDeviceName="/dev/xvda")["ImageId"]

    found = ec2.read(moto, NOW).images

    assert [image.id for image in found] == [NEWEST.id, MIDDLE.id, OLDEST.id]
    assert found[0].created == NEWEST.created
    assert found[0].name == NEWEST.name
    moto.deregister_image(ImageId=untagged)


async def test_the_reader_sees_what_a_plain_read_sees(moto: "EC2Client") -> None:
    launch(moto, "claw-1")
    clock = TurnedClock(NOW)

    assert await Ec2Reader(moto, clock).read() == ec2.read(moto, NOW)


def test_every_page_is_read(cloud: FakeEc2, ec2_client: "EC2Client") -> None:
    cloud.scripts["DescribeInstances"] = [
        aws.instances("i-1", "i-2", more="second"),
        aws.instances("i-3"),
    ]
    cloud.scripts["DescribeInstanceStatus"] = [
        aws.checks("ok", "ok", "i-1", more="second"),
        aws.checks("ok", "impaired", "i-2"),
    ]

    hosts = ec2.read(ec2_client, NOW).hosts

    assert {host.id: host.health for host in hosts} == {
        "i-1": Health.OK,
        "i-2": Health.IMPAIRED,
        "i-3": Health.INITIALIZING,  # running, and its checks have not begun
    }
    pages = [asked.get("NextToken") for asked in cloud.asked if "InstanceId.1" not in asked]
    assert pages == [None, "second"] * 2 + [None]


def test_a_known_machine_that_is_not_listed_is_asked_for_by_its_id(
    cloud: FakeEc2, ec2_client: "EC2Client"
) -> None:
    cloud.scripts["DescribeInstances"] = [
        aws.EMPTY["DescribeInstances"],
        aws.instances("i-1"),
    ]
    cloud.scripts["DescribeInstanceStatus"] = [
        aws.EMPTY["DescribeInstanceStatus"],
        aws.checks("ok", "ok", "i-1"),
    ]

    reading = ec2.read(ec2_client, NOW, ["i-1"])

    assert [(host.id, host.health) for host in reading.hosts] == [("i-1", Health.OK)]
    assert (reading.unlisted, reading.unsure) == (("i-1",), ())
    assert [asked.get("InstanceId.1") for asked in cloud.asked] == [None, None, None, "i-1", "i-1"]


@pytest.mark.parametrize(
    "said",
    [
        aws.error(400, "InvalidInstanceID.NotFound"),
        aws.instances("i-1", state="terminated"),
    ],
    ids=["not found", "terminated"],
)
def test_that_a_machine_is_gone_ec2_says_of_its_id(
    cloud: FakeEc2, ec2_client: "EC2Client", said: tuple[int, str]
) -> None:
    cloud.scripts["DescribeInstances"] = [aws.EMPTY["DescribeInstances"], said]

    reading = ec2.read(ec2_client, NOW, ["i-1"])

    assert (reading.hosts, reading.unlisted, reading.unsure) == ((), (), ())


def test_one_on_its_way_out_is_not_missed_on_the_list(
    cloud: FakeEc2, ec2_client: "EC2Client"
) -> None:
    leaving = aws.instances("i-1", state="shutting-down")
    cloud.scripts["DescribeInstances"] = [aws.EMPTY["DescribeInstances"], leaving]

    reading = ec2.read(ec2_client, NOW, ["i-1"])

    assert [host.state for host in reading.hosts] == [HostState.SHUTTING_DOWN]
    assert (reading.unlisted, reading.unsure) == ((), ())


def test_an_empty_answer_says_nothing_of_a_machine(cloud: FakeEc2, ec2_client: "EC2Client") -> None:
    assert ec2.read(ec2_client, NOW, ["i-1"]).unsure == ("i-1",)


def test_one_that_is_gone_hides_no_other(cloud: FakeEc2, ec2_client: "EC2Client") -> None:
    cloud.scripts["DescribeInstances"] = [
        aws.error(400, "InvalidInstanceID.NotFound"),
        aws.instances("i-1"),
        aws.error(400, "InvalidInstanceID.NotFound"),
        aws.EMPTY["DescribeInstances"],
    ]

    found = find_machines(ec2_client, ["i-1", "i-2", "i-3"])

    assert {id_: one and one.id for id_, one in found.items()} == {"i-1": "i-1", "i-2": None}


def test_another_refusal_of_an_id_is_none_that_it_is_gone(
    cloud: FakeEc2, ec2_client: "EC2Client"
) -> None:
    cloud.always(aws.error(403, "UnauthorizedOperation"))

    with pytest.raises(Ec2Error, match="UnauthorizedOperation"):
        find_machines(ec2_client, ["i-1"])


def test_checks_are_asked_for_by_a_hundred_ids_at_once(
    cloud: FakeEc2, ec2_client: "EC2Client"
) -> None:
    cloud.scripts["DescribeInstanceStatus"] = [
        aws.error(400, "InvalidInstanceID.NotFound"),
        aws.checks("ok", "ok", "i-100"),
    ]

    found = find_health(ec2_client, [f"i-{number}" for number in range(101)])

    assert found == {"i-100": Checks(Health.OK)}
    assert "InstanceId.100" in cloud.asked[0]
    assert [asked["InstanceId.1"] for asked in cloud.asked] == ["i-0", "i-100"]


def test_only_our_own_available_tagged_images_are_asked_for(
    cloud: FakeEc2, ec2_client: "EC2Client"
) -> None:
    ec2.describe_images(ec2_client)

    asked = cloud.asked[0]
    filters = {asked[f"Filter.{n}.Name"]: asked[f"Filter.{n}.Value.1"] for n in (1, 2)}
    assert asked["Owner.1"] == "self"
    assert filters == {"tag:clawdinator": "true", "state": "available"}


def test_an_image_without_a_date_is_none_and_hinders_no_reading(
    cloud: FakeEc2, ec2_client: "EC2Client"
) -> None:
    cloud.scripts["DescribeImages"] = [aws.image("ami-1", "")]

    assert ec2.read(ec2_client, NOW).images == ()


@pytest.mark.parametrize(
    ("system", "instance", "disks", "health"),
    [
        ("ok", "ok", "", Health.OK),
        ("ok", "ok", "ok", Health.OK),
        ("ok", "ok", "not-applicable", Health.OK),
        ("ok", "initializing", "ok", Health.INITIALIZING),
        ("ok", "ok", "initializing", Health.INITIALIZING),
        ("impaired", "initializing", "ok", Health.IMPAIRED),
        ("ok", "impaired", "ok", Health.IMPAIRED),
        ("ok", "insufficient-data", "ok", Health.UNKNOWN),
        ("insufficient-data", "ok", "ok", Health.UNKNOWN),
        ("ok", "ok", "insufficient-data", Health.UNKNOWN),
        ("not-applicable", "ok", "ok", Health.UNKNOWN),
    ],
)
def test_health_is_the_worst_of_all_checks(
    cloud: FakeEc2, ec2_client: "EC2Client", system: str, instance: str, disks: str, health: Health
) -> None:
    cloud.scripts["DescribeInstanceStatus"] = [aws.checks(system, instance, "i-1", disks=disks)]

    assert describe_health(ec2_client) == {"i-1": Checks(health)}


def test_a_disk_that_ec2_can_not_reach_is_told_in_words(
    cloud: FakeEc2, ec2_client: "EC2Client"
) -> None:
    cloud.scripts["DescribeInstanceStatus"] = [
        aws.checks("ok", "initializing", "i-1", disks="impaired", events=aws.event("instance-stop"))
    ]

    told = Checks(Health.IMPAIRED, "fails EC2's check of its disks")
    assert describe_health(ec2_client) == {"i-1": told}


@pytest.mark.parametrize(
    ("planned", "words"),
    [
        (aws.event("instance-retirement"), "EC2 retires it on 2026-12-11 at 10:00 UTC"),
        (aws.event("instance-stop"), "EC2 stops it on 2026-12-11 at 10:00 UTC"),
        (aws.event("instance-retirement", before=""), "EC2 retires it soon"),
        (aws.event("instance-reboot") + aws.event("instance-stop"), "EC2 stops it on 2026-12-11"),
        (aws.event("instance-retirement", "[Completed] Planned"), ""),
        (aws.event("instance-retirement", "[Canceled] Planned"), ""),
        (aws.event("instance-reboot"), ""),
        (aws.event("system-reboot"), ""),
        (aws.event("system-maintenance"), ""),
    ],
)
def test_what_a_machine_will_not_come_back_from_is_told_with_its_time(
    cloud: FakeEc2, ec2_client: "EC2Client", planned: str, words: str
) -> None:
    cloud.scripts["DescribeInstanceStatus"] = [aws.checks("ok", "ok", "i-1", events=planned)]

    found = describe_health(ec2_client)["i-1"]

    assert found.health is (Health.ENDING if words else Health.OK)
    assert found.ill.startswith(words)
    assert bool(found.ill) == bool(words)


def test_an_empty_ec2_is_a_reading_of_nothing(cloud: FakeEc2, ec2_client: "EC2Client") -> None:
    reading = ec2.read(ec2_client, NOW)

    assert (reading.hosts, reading.images, reading.taken) == ((), (), NOW)


def test_throttled_once_it_asks_again(cloud: FakeEc2, ec2_client: "EC2Client") -> None:
    cloud.scripts["DescribeInstances"] = [
        aws.error(503, "RequestLimitExceeded"),
        aws.instances("i-1"),
    ]

    assert [machine.id for machine in describe_machines(ec2_client)] == ["i-1"]
    assert cloud.counts["DescribeInstances"] == 2


async def test_throttled_for_good_it_says_so(cloud: FakeEc2, ec2_client: "EC2Client") -> None:
    cloud.always(aws.error(503, "RequestLimitExceeded"))

    with pytest.raises(Ec2Error, match=r"too many requests \(RequestLimitExceeded\)\.") as raised:
        await Ec2Reader(ec2_client, TurnedClock()).read()

    assert "Try again in a minute." in str(raised.value)
    assert cloud.counts["DescribeInstances"] <= 3


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "AuthFailure"])
def test_denied_it_says_which_key_to_check_and_does_not_ask_again(
    cloud: FakeEc2, ec2_client: "EC2Client", code: str
) -> None:
    cloud.always(aws.error(403, code, f"{SECRET_KEY} is not allowed"))

    with pytest.raises(Ec2Error, match=f"EC2 refused DescribeInstances: .*{code}") as raised:
        ec2.read(ec2_client, NOW)

    assert "Check the control AWS access key." in str(raised.value)
    assert SECRET_KEY not in str(raised.value)
    assert cloud.counts["DescribeInstances"] == 1


def test_another_refusal_is_told_by_its_code(cloud: FakeEc2, ec2_client: "EC2Client") -> None:
    cloud.always(aws.error(400, "OptInRequired"))

    with pytest.raises(Ec2Error, match=r"EC2 refused DescribeInstances: OptInRequired\."):
        ec2.read(ec2_client, NOW)


@pytest.mark.parametrize(
    "answer",
    [
        (200, "<html>not EC2</html>"),
        (200, "not even XML"),
        aws.instances("i-1", state="levitating"),
    ],
    ids=["html", "text", "an unheard-of state"],
)
def test_nonsense_is_no_fleet(
    cloud: FakeEc2, ec2_client: "EC2Client", answer: tuple[int, str]
) -> None:
    cloud.scripts["DescribeInstances"] = [answer]

    with pytest.raises(Ec2Error, match="DescribeInstances"):
        describe_machines(ec2_client)


def test_an_ec2_that_is_not_there_did_not_answer() -> None:
    with aws.serving() as served:
        gone = served.url
    client = ec2.client("eu-central-1", "AKIATESTING", SECRET_KEY, gone)

    with pytest.raises(Ec2Error, match="EC2 did not answer DescribeInstances"):
        describe_machines(client)
    client.close()


def test_an_ec2_that_hangs_keeps_nobody_waiting_for_a_minute(ec2_client: "EC2Client") -> None:
    """The client's own words: a test would have to wait as long."""
    config: Any = ec2_client.meta.config
    once = config.connect_timeout + config.read_timeout

    assert 1 < config.connect_timeout < 5 < config.read_timeout < 15
    assert 20 < once * config.retries["total_max_attempts"] < 60
