"""Make a test's fleet and Control API show the facts of a row of the policy's table."""

import json

from fleet_control.policy import Condition, Facts
from tests.clawbot.bots import registry
from tests.clawbot.control_api import Api, job, run
from tests.clawbot.test_policy_in_chat import moment
from tests.discord.ec2 import Claw, stage
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.aws import image as described
from tests.fleet_control.test_policy import IMAGE

BOT, TARGET = "clawdinator-1", "clawdinator-2"
CHECKS = {
    Condition.HEALTHY: "ok",
    Condition.UNHEALTHY: "impaired",
    Condition.STARTING: "initializing",
}


def carried(facts: Facts) -> dict[str, str]:
    """The settings of a bot that rides the host that these facts name."""
    return {"CLAWBOT_INSTANCE": facts.carrier} if facts.carrier else {}


def show(facts: Facts, api: Api, ec2: FakeEc2, **account: str) -> None:
    """Make it so; `account` is what the registry has of BOT's accounts."""
    known = json.loads(registry(*(facts.ids or ())))
    known[BOT] |= account
    api.registry = json.dumps(known)
    conditions = (facts.conditions or {}).items()
    stage(
        ec2,
        [
            Claw(id_, IMAGE, CHECKS[is_], days=float(is_ is not Condition.STARTING))
            for id_, is_ in conditions
            if is_ in CHECKS
        ],
    )
    ec2.scripts["DescribeImages"] = [described(IMAGE, "2026-09-01T00:00:00.000Z")]
    api.freeze = facts.frozen._asdict() if facts.frozen else None
    if facts.unfinished:
        api.runs.append(run(7, caller=BOT, target="clawdinator-3", reply=""))
    api.runs.extend(run(100 + n, "pending", reply="") for n in range(facts.waiting))
    if last := facts.last_bot_deploy:
        ended = "failure" if facts.bot_failures else "success"
        jobs = (job("plan"), job(f"{TARGET}: none -> {IMAGE}", ended))
        told = {"caller": last.instance, "target": TARGET, "updated": moment(last.ended)}
        for number in range(max(1, facts.bot_failures)):
            api.runs.append(run(5 + number, "completed", ended, reply="", jobs=jobs, **told))
