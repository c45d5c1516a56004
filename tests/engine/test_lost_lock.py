"""With the real engine: a runner that is lost with the lock in its hand, and a person's lock."""

import calendar
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest

from fleet_control import state_lock
from tests.engine.site import NEW, ONE, ROOT, THREE, TWO, EngineSite
from tests.engine.test_lock import HELD, LOCK, impatient
from tests.workflows.conftest import handed_to
from tests.workflows.loopback import raw_job
from tests.workflows.test_lost_lock import StillTime
from workflows.fleet_deploy import lock
from workflows.fleet_deploy.health import SystemTime

__all__ = ["impatient"]  # a fixture

OTHER = HELD["ID"].replace("1", "9")


@pytest.fixture(autouse=True)
def its_own_time(site: EngineSite) -> Iterator[None]:
    site.settles()
    yield
    site.runner.clock = SystemTime()


def lose_the_runner(site: EngineSite) -> int:
    """Kill all of a host's job while its engine makes the host, and let GitHub say that the job
    failed; its run."""
    runner = site.runner
    asked = runner.asks(TARGET=TWO)
    assert runner.does("plan", **asked) == 0, runner.summary
    (turn,) = json.loads(runner.handed["ROLL"])
    handed = {**runner.handed, **handed_to(turn)}
    environ = {**runner.environ, **asked, **handed, "PYTHONPATH": f"{ROOT}:{ROOT / 'skills'}"}
    with subprocess.Popen(
        [sys.executable, "-m", "workflows.fleet_deploy", "host"],
        cwd=runner.folder,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if f'aws_instance.clawdinator["{TWO}"]' in line and "Creating..." in line:
                os.killpg(process.pid, signal.SIGKILL)
    run = int(asked["GITHUB_RUN_ID"])
    runner.github.jobs[run] = [raw_job("plan"), raw_job(turn["name"], "failure")]
    listed = next(one for one in runner.github.runs if one["id"] == run)
    listed |= {"status": "completed", "conclusion": "failure"}
    return run


def test_a_lost_runners_lock_is_broken_no_sooner_than_is_said_and_then_without_anybody(
    site: EngineSite,
) -> None:
    run = lose_the_runner(site)

    assert site.deploys(TARGET=TWO) == 1
    said = site.runner.summary
    assert f"Nothing was touched: {lock.here()} has held the lock on the state since " in said
    assert f"for the job of {TWO} in run {run}, which has ended" in said
    moment, taken = told(said), lock_of(site)
    # A session's hour, and the minutes by which clocks may differ.
    assert 3600 + 600 <= moment - taken < 3600 + 600 + 60

    site.runner.clock = StillTime(moment - 61)
    assert site.deploys(TARGET=TWO) == 1
    assert moment == told(site.runner.summary)

    site.runner.clock = StillTime(moment)
    assert site.deploys(TARGET=TWO) == 0, site.runner.summary
    after = site.runner.hosts()
    assert {ONE, TWO, THREE} == set(after)
    assert after[TWO][1] == NEW
    assert not site.differs("fleet")


def lock_of(site: EngineSite) -> float:
    """When the lock was taken that the table shows."""
    with closing(site.client("dynamodb")) as dynamodb:
        key = {"LockID": {"S": LOCK}}
        item = dynamodb.get_item(TableName="clawdinator-tofu-lock", Key=key)["Item"]
    held = state_lock.read_info(item["Info"]["S"])
    assert held
    assert held.created
    return held.created


def told(said: str) -> int:
    """From when on a deploy breaks the lock, in Unix seconds."""
    (found,) = re.findall(r"A deploy breaks it from (\S+ \S+) UTC on;", said)
    return calendar.timegm(time.strptime(found, "%Y-%m-%d %H:%M"))


def take(site: EngineSite, held: Mapping[str, str]) -> None:
    """As an engine at a person's desk takes it: the file, and the table's item."""
    said = json.dumps(held, separators=(",", ":"))
    with closing(site.client("s3")) as s3, closing(site.client("dynamodb")) as dynamodb:
        bucket, _, key = LOCK.partition("/")
        s3.put_object(Bucket=bucket, Key=f"{key}.tflock", Body=said.encode())
        item = {"LockID": {"S": LOCK}, "Info": {"S": said}}
        dynamodb.put_item(TableName="clawdinator-tofu-lock", Item=item)


def test_a_persons_lock_is_broken_by_a_person_alone(site: EngineSite, impatient: str) -> None:
    take(site, HELD)
    before = site.runner.hosts()

    site.runner.clock = StillTime(time.time() + 30 * 86400)
    assert site.deploys(TARGET=TWO, TOFU=impatient) == 1
    assert "sam@laptop has held the lock on the state since 2026-11-24 08:00 UTC. No job of a " in (
        site.runner.summary
    )
    assert site.deploys(OPERATION="unlock", TARGET=OTHER) == 1
    assert site.deploys(TARGET=TWO, TOFU=impatient) == 1
    assert before == site.runner.hosts()

    assert site.deploys(OPERATION="unlock", TARGET=HELD["ID"]) == 0, site.runner.summary
    assert before == site.runner.hosts()
    assert site.deploys(OPERATION="unlock", TARGET=HELD["ID"]) == 1
    assert "The state is not locked." in site.runner.summary
    site.runner.clock = SystemTime()
    assert site.deploys(TARGET=TWO) == 0, site.runner.summary


@pytest.mark.parametrize("where", ["file", "table"])
def test_half_a_lock_is_broken_as_a_whole_one_is(site: EngineSite, where: str) -> None:
    """An engine that was killed between the two left one of them."""
    take(site, HELD)
    with closing(site.client("s3")) as s3, closing(site.client("dynamodb")) as dynamodb:
        if where == "table":
            bucket, _, key = LOCK.partition("/")
            s3.delete_object(Bucket=bucket, Key=f"{key}.tflock")
        else:
            dynamodb.delete_item(TableName="clawdinator-tofu-lock", Key={"LockID": {"S": LOCK}})

    assert site.deploys(OPERATION="unlock", TARGET=HELD["ID"]) == 0, site.runner.summary
    assert site.deploys(OPERATION="unlock", TARGET=HELD["ID"]) == 1
    assert "The state is not locked." in site.runner.summary
