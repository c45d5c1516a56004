"""A host's lifecycle in our moto, and what else our moto must answer."""

import asyncio
import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from botocore.exceptions import ClientError

from fleet_control import ec2
from sandbox.host_rules import SECRET, Behaviour
from tests.sandbox.aws import MotoAws
from workflows.fleet_deploy import health_report
from workflows.fleet_deploy.health_report import ReportError, Wanted

TWO = "clawdinator-2"
ALIVE = ["pending", "running", "stopping", "stopped", "shutting-down"]


def state_filter(*states: str) -> dict[str, Any]:
    return {"Filters": [{"Name": "instance-state-name", "Values": list(states)}]}


async def refusal(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        await call
    return str(caught.value.response["Error"]["Code"])


async def test_a_seeded_host_has_been_healthy_for_days(aws: MotoAws) -> None:
    ids = {host.id for host in aws.seeded.hosts}

    assert dict.fromkeys(ids, "running") == await aws.states()
    assert dict.fromkeys(ids, "ok") == await aws.checks()
    hosts = await aws.hosts()
    for host in aws.seeded.hosts:
        assert datetime.fromtimestamp(host.launched, UTC) == hosts[host.id]["LaunchTime"]
        assert host.launched < aws.rules.now() - 5 * 86400


async def test_a_new_host_is_pending_then_initializing_then_ok(aws: MotoAws) -> None:
    new = await aws.launch("clawdinator-2")

    assert (await aws.states())[new] == "pending"
    assert new not in await aws.checks()
    await aws.turn(2)
    assert (await aws.states())[new] == "running"
    assert (await aws.checks())[new] == "initializing"
    await aws.turn(4)
    assert (await aws.checks())[new] == "ok"


async def test_a_launch_answers_pending_and_the_clocks_time(aws: MotoAws) -> None:
    new = await aws.launch("clawdinator-2")

    launched = (await aws.hosts())[new]["LaunchTime"]
    assert datetime.fromtimestamp(aws.rules.now(), UTC) == launched


async def test_an_unhealthy_instance_never_passes_its_own_check(aws: MotoAws) -> None:
    await aws.rule(unhealthy=("clawdinator-2",))
    new = await aws.launch("clawdinator-2")
    await aws.rule(unhealthy=())

    await aws.turn(3600)

    answer = await aws.ask("ec2", "describe_instance_status", InstanceIds=[new])
    (status,) = answer["InstanceStatuses"]
    assert status["InstanceStatus"]["Status"] == "impaired"
    assert status["InstanceStatus"]["Details"] == [{"Name": "reachability", "Status": "failed"}]
    assert status["SystemStatus"]["Status"] == "ok"


async def test_a_terminated_host_shuts_down_for_a_while(aws: MotoAws) -> None:
    old = aws.seeded.hosts[0].id

    assert await aws.terminate(old) == {"before": "running", "after": "shutting-down"}
    assert (await aws.states())[old] == "shutting-down"
    assert await aws.terminate(old) == {"before": "shutting-down", "after": "shutting-down"}
    await aws.turn(3)
    assert (await aws.states())[old] == "terminated"
    assert (await aws.terminate(old))["before"] == "terminated"
    assert old not in await aws.checks()


async def test_a_terminated_host_is_forgotten_after_an_hour(aws: MotoAws) -> None:
    old = aws.seeded.hosts[0].id
    await aws.terminate(old)

    await aws.turn(3 + 3599)
    assert (await aws.states())[old] == "terminated"
    await aws.turn(1)
    assert old not in await aws.states()


async def test_filters_on_states_choose_by_what_is_shown(aws: MotoAws) -> None:
    one, two = (host.id for host in aws.seeded.hosts)
    new = await aws.launch("clawdinator-1")
    await aws.terminate(one)

    assert {one, two, new} == set(await aws.states(**state_filter(*ALIVE)))
    assert {new} == set(await aws.states(**state_filter("pending")))
    assert {two} == set(await aws.states(**state_filter("running")))
    assert {one} == set(await aws.states(**state_filter("shutting-down")))
    await aws.turn(3)
    assert {two, new} == set(await aws.states(**state_filter(*ALIVE)))
    assert {one} == set(await aws.states(**state_filter("terminated")))


async def test_other_filters_hold_beside_those_on_states(aws: MotoAws) -> None:
    named = {"Name": "tag:Name", "Values": ["clawdinator-1"]}
    alive = {"Name": "instance-state-name", "Values": ALIVE}

    (host,) = await aws.states(Filters=[named, alive])

    assert aws.seeded.hosts[0].id == host
    assert {host: "running"} == await aws.states(InstanceIds=[host], Filters=[alive])
    assert await aws.states(InstanceIds=[aws.seeded.hosts[1].id], Filters=[named, alive]) == {}


async def test_checks_can_be_asked_of_hosts_that_do_not_run(aws: MotoAws) -> None:
    new = await aws.launch("clawdinator-2")
    old = aws.seeded.hosts[1].id
    await aws.terminate(old)

    assert {new: "not-applicable", old: "not-applicable"} == await aws.checks(
        InstanceIds=[new, old], IncludeAllInstances=True
    )
    assert await aws.checks(InstanceIds=[new, old]) == {}
    assert [new] == list(await aws.checks(IncludeAllInstances=True, **state_filter("pending")))


async def test_pages_hold_every_host_once(aws: MotoAws) -> None:
    for number in range(11):
        await aws.launch(f"extra-{number}")
    await aws.terminate(aws.seeded.hosts[0].id)
    await aws.turn(3)

    def all_pages(operation: str, **arguments: Any) -> list[Any]:
        paginator = aws.client("ec2").get_paginator(operation)
        return list(paginator.paginate(PaginationConfig={"PageSize": 5}, **arguments))

    pages = await asyncio.to_thread(all_pages, "describe_instances", **state_filter("running"))
    ids = [one["Instances"][0]["InstanceId"] for page in pages for one in page["Reservations"]]
    assert (len(pages), len(ids), len(set(ids))) == (3, 12, 12)
    pages = await asyncio.to_thread(all_pages, "describe_instance_status")
    checked = [one["InstanceId"] for page in pages for one in page["InstanceStatuses"]]
    assert sorted(ids) == sorted(checked)


async def test_an_unknown_host_is_refused_as_ec2_does(aws: MotoAws) -> None:
    nobody = "i-00000000000000000"

    assert await refusal(aws.hosts(InstanceIds=[nobody])) == "InvalidInstanceID.NotFound"
    assert await refusal(aws.terminate(nobody)) == "InvalidInstanceID.NotFound"


async def test_boto3s_own_waiters_see_a_life_through(aws: MotoAws) -> None:
    new = await aws.launch("clawdinator-2")
    quick = {"Delay": 0, "MaxAttempts": 1}

    async def waited(name: str) -> None:
        waiter = aws.client("ec2").get_waiter(name)
        await asyncio.to_thread(waiter.wait, InstanceIds=[new], WaiterConfig=quick)

    await aws.turn(2)
    await waited("instance_running")
    await aws.turn(4)
    await waited("instance_status_ok")
    await aws.terminate(new)
    await aws.turn(3)
    await waited("instance_terminated")


async def test_what_the_product_reads_of_the_fleet_is_its_life(aws: MotoAws) -> None:
    new = await aws.launch("clawdinator-2")
    await aws.turn(2)

    reading = await asyncio.to_thread(ec2.read, aws.client("ec2"), aws.rules.now())

    health = {host.id: str(host.health) for host in reading.hosts}
    assert health[new] == "initializing"
    assert [one.id for one in reversed(aws.seeded.images)] == [one.id for one in reading.images]


async def test_a_machine_that_ends_or_lost_its_disks_is_told_as_ill(aws: MotoAws) -> None:
    first, second = (host.id for host in aws.seeded.hosts)
    await aws.rule(retiring=(first,), without_disks=(second,))

    reading = await asyncio.to_thread(ec2.read, aws.client("ec2"), aws.rules.now())

    said = {host.id: (str(host.health), host.ill) for host in reading.hosts}
    in_two_weeks = datetime.fromtimestamp(aws.rules.now() + 14 * 86400, UTC)
    ends = f"EC2 retires it on {in_two_weeks:%Y-%m-%d at %H:%M UTC}"
    assert said == {
        first: ("ending", ends),
        second: ("impaired", "fails EC2's check of its disks"),
    }
    assert set((await aws.checks()).values()) == {"ok"}


async def send(aws: MotoAws, host: str, document: str = "clawdinator-health") -> str:
    answer = await aws.ask("ssm", "send_command", DocumentName=document, InstanceIds=[host])
    return str(answer["Command"]["CommandId"])


async def outcome(aws: MotoAws, command: str, host: str) -> tuple[str, int, str]:
    answer = await aws.ask("ssm", "get_command_invocation", CommandId=command, InstanceId=host)
    return answer["Status"], answer["ResponseCode"], answer["StandardOutputContent"]


async def said(aws: MotoAws, host: str) -> str:
    """What that host answers, a second later."""
    command = await send(aws, host)
    await aws.turn(1)
    status, code, answer = await outcome(aws, command, host)
    assert (status, code) == ("Success", 0)
    return answer


async def heard(aws: MotoAws, host: str) -> str:
    """What is missing by that host's own answer, a second later."""
    answer = health_report.read(await said(aws, host))
    return health_report.missing(answer, Wanted(answer.instance, answer.revision, 0.5))


async def test_a_command_takes_its_time(aws: MotoAws) -> None:
    host = aws.seeded.hosts[0].id

    assert await outcome(aws, await send(aws, host), host) == ("InProgress", -1, "")


async def test_a_healthy_host_answers_that_it_is_well(aws: MotoAws) -> None:
    assert not await heard(aws, aws.seeded.hosts[0].id)


async def test_a_host_does_not_answer_so_before_it_is_healthy(aws: MotoAws) -> None:
    await aws.rule(unhealthy=("clawdinator-2",))
    host = await aws.launch("clawdinator-2")
    await aws.turn(2)

    starting = "clawdinator.service is activating (start); clawbot.service is activating (start)"
    assert await heard(aws, host) == starting
    await aws.turn(4)
    assert await heard(aws, host) == starting


@pytest.mark.parametrize(
    ("way", "unit"),
    [(Behaviour.AGENT_DIES, "clawdinator.service"), (Behaviour.BOT_DIES, "clawbot.service")],
)
async def test_a_host_of_which_a_unit_keeps_dying_is_healthy_to_ec2_alone(
    aws: MotoAws, way: Behaviour, unit: str
) -> None:
    await aws.rule(ways={TWO: way})
    host = await aws.launch(TWO)
    await aws.turn(6)

    for _ in range(5):
        assert (await heard(aws, host)).startswith(f"{unit} is active for 0 of ")
    reading = await asyncio.to_thread(ec2.read, aws.client("ec2"), aws.rules.now())
    assert next(one.health for one in reading.hosts if one.id == host) == "ok"


async def test_the_last_words_of_a_unit_that_dies_come_without_the_hosts_secret(
    aws: MotoAws,
) -> None:
    await aws.rule(ways={TWO: Behaviour.AGENT_DIES})
    host = await aws.launch(TWO)
    await aws.turn(6)

    journal = health_report.read(await said(aws, host)).journal
    assert journal.startswith("no model takes ***\nMain process exited")
    assert SECRET not in journal


async def test_a_unit_that_dies_once_stays_from_then_on(aws: MotoAws) -> None:
    await aws.rule(
        ways={TWO: Behaviour.AGENT_DIES_ONCE}, timing=replace(aws.rules.timing, lasting=100)
    )
    host = await aws.launch(TWO)

    told = []
    for _ in range(3):
        await aws.turn(100)
        agent, bot = health_report.read(await said(aws, host)).units
        told.append((agent.restarts, agent.active_seconds, bot.restarts))
    assert told == [(0, 98, 0), (1, 99, 0), (1, 200, 0)]


async def test_a_host_without_a_bot_has_the_agents_unit_alone(aws: MotoAws) -> None:
    await aws.rule(ways={TWO: Behaviour.NO_BOT})
    host = await aws.launch(TWO)
    await aws.turn(6)

    assert [one.name for one in health_report.read(await said(aws, host)).units] == [
        "clawdinator.service"
    ]


async def test_a_reboot_starts_every_unit_anew(aws: MotoAws) -> None:
    host = aws.seeded.hosts[0].id
    await aws.ask("ec2", "reboot_instances", InstanceIds=[host])
    await aws.turn(9)

    answer = health_report.read(await said(aws, host))
    assert {one.active_seconds for one in answer.units} == {9}


@pytest.mark.parametrize(
    ("way", "trouble"),
    [
        (Behaviour.OTHER_NAME, "says that it is another"),
        (Behaviour.OTHER_REVISION, "runs bbbbbbb and not aaaaaaa"),
        (Behaviour.GARBAGE, "answered what can't be read"),
        (Behaviour.FLOOD, "answered with 24000 characters, where 20000 are the most"),
    ],
)
async def test_a_host_may_answer_anything(aws: MotoAws, way: Behaviour, trouble: str) -> None:
    await aws.rule(ways={TWO: way})
    host = await aws.launch(TWO)
    await aws.turn(6)

    try:
        answer = health_report.read(await said(aws, host))
        heard = health_report.missing(answer, Wanted(TWO, "a" * 40, 0.5))
    except ReportError as error:
        heard = str(error)
    assert heard.removesuffix(".") == trouble


async def test_a_host_that_is_late_is_deaf_at_first(aws: MotoAws) -> None:
    await aws.rule(ways={TWO: Behaviour.LATE}, timing=replace(aws.rules.timing, late=60))
    host = await aws.launch(TWO)

    await aws.turn(61)
    assert await refusal(send(aws, host)) == "InvalidInstanceId"
    await aws.turn(1)
    assert not await heard(aws, host)


async def test_a_host_that_is_silent_never_answers(aws: MotoAws) -> None:
    await aws.rule(ways={TWO: Behaviour.SILENT})
    host = await aws.launch(TWO)
    await aws.turn(6)

    command = await send(aws, host)
    await aws.turn(3600)
    assert await outcome(aws, command, host) == ("InProgress", -1, "")


async def test_ssm_knows_only_hosts_that_run_and_documents_that_are_there(aws: MotoAws) -> None:
    host = aws.seeded.hosts[0].id
    new = await aws.launch("clawdinator-2")

    assert await refusal(send(aws, host, "AWS-RunShellScript")) == "InvalidDocument"
    assert await refusal(send(aws, "i-00000000000000000")) == "InvalidInstanceId"
    assert await refusal(send(aws, new)) == "InvalidInstanceId"
    await aws.terminate(host)
    assert await refusal(send(aws, host)) == "InvalidInstanceId"


async def test_an_object_passes_byte_for_byte(aws: MotoAws) -> None:
    content = os.urandom(3_000_000)
    bucket, key = aws.seeded.state_bucket, "a folder//ünicode+%2F.tfstate"

    put = await aws.ask("s3", "put_object", Bucket=bucket, Key=key, Body=content)
    got = await aws.ask("s3", "get_object", Bucket=bucket, Key=key)
    body = await asyncio.to_thread(got["Body"].read)
    got["Body"].close()
    head = await aws.ask("s3", "head_object", Bucket=bucket, Key=key)

    etag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
    assert (etag, etag, etag) == (put["ETag"], got["ETag"], head["ETag"])
    assert (content, len(content)) == (body, head["ContentLength"])


async def test_a_conditional_write_is_refused_where_the_object_is_there(aws: MotoAws) -> None:
    where = {"Bucket": aws.seeded.state_bucket, "Key": "fleet.tfstate.tflock"}
    await aws.ask("s3", "put_object", **where, Body=b"{}", IfNoneMatch="*")

    assert (
        await refusal(aws.ask("s3", "put_object", **where, Body=b"{}", IfNoneMatch="*"))
        == "PreconditionFailed"
    )


async def test_signatures_and_policies_still_hold_where_moto_checks_them(aws: MotoAws) -> None:
    await aws.launch("clawdinator-2")
    await enforce(aws)

    assert len(await aws.states(**state_filter(*ALIVE))) == 3
    assert len(await aws.checks()) == 2
    await aws.ask("s3", "put_object", Bucket=aws.seeded.state_bucket, Key="k", Body=b"state")
    await aws.ask("dynamodb", "describe_table", TableName=aws.seeded.lock_table)
    who = await aws.ask("sts", "get_caller_identity")
    assert aws.seeded.deployer.arn == who["Arn"]
    # What its policy does not name; moto gives no better code in this protocol.
    assert await refusal(aws.ask("logs", "describe_log_groups")) == "403"


async def enforce(aws: MotoAws) -> None:
    """From now on moto checks signatures and policies."""
    async with (
        aiohttp.ClientSession(aws.url) as session,
        session.post("/moto-api/reset-auth", data=b"0") as answer,
    ):
        await answer.read()


async def test_a_host_is_in_the_groups_of_its_own_interface(aws: MotoAws) -> None:
    """As OpenTofu launches one that has a public address; its next plan must be empty."""
    vpc = (await aws.ask("ec2", "create_vpc", CidrBlock="10.78.0.0/22"))["Vpc"]["VpcId"]
    subnet = await aws.ask("ec2", "create_subnet", VpcId=vpc, CidrBlock="10.78.0.0/22")
    group = await aws.ask("ec2", "create_security_group", GroupName="g", Description="g", VpcId=vpc)
    interface = {
        "DeviceIndex": 0,
        "SubnetId": subnet["Subnet"]["SubnetId"],
        "Groups": [group["GroupId"]],
        "AssociatePublicIpAddress": True,
    }

    launched = await aws.ask(
        "ec2",
        "run_instances",
        ImageId=aws.seeded.images[0].id,
        MinCount=1,
        MaxCount=1,
        NetworkInterfaces=[interface],
    )

    host = launched["Instances"][0]
    assert [one["GroupId"] for one in host["SecurityGroups"]] == [group["GroupId"]]
