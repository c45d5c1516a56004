"""Seed moto with a fleet that runs: hosts, images, users, a document, buckets, tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from fleet_control.registry import Registry
from sandbox import host_rules
from sandbox.image import SeededImage
from sandbox.moto import tell
from sandbox.principal import ACCOUNT, REGION, IamPrincipal

STATE_BUCKET = "clawdinator-tofu-state"
BOOTSTRAP_BUCKET = host_rules.BOOTSTRAP_BUCKET
IMAGE_BUCKET = "clawdinator-images"
LOCK_TABLE = "clawdinator-tofu-lock"
CONTROL_TABLE = "clawdinator-control"
DOCUMENT = "clawdinator-health"

_LAUNCHED_AFTER_IMAGE_SECONDS = 5 * 3600


@dataclass(frozen=True, slots=True)
class SeededHost:
    """A host that was seeded, with a launch in the past.

    Attributes:
        launched: Unix seconds.
    """

    id: str
    name: str
    image: str
    launched: float


@dataclass(frozen=True, slots=True)
class Seeded:
    """What the seeding made.

    Attributes:
        images: the oldest first.
        agents: instance id to the key its agent signs with.
        chats: the bot's name (an instance id, or ``demo``) to the key it signs with.
        operator: a person's own IAM user, not of the fleet.
        deployer: what a run acts as.
        function: what the Lambda itself acts as; AWS would have a role here.
    """

    images: tuple[SeededImage, ...]
    hosts: tuple[SeededHost, ...]
    agents: Mapping[str, IamPrincipal]
    chats: Mapping[str, IamPrincipal]
    operator: IamPrincipal
    deployer: IamPrincipal
    function: IamPrincipal
    region: str = REGION
    account: str = ACCOUNT
    state_bucket: str = STATE_BUCKET
    bootstrap_bucket: str = BOOTSTRAP_BUCKET
    lock_table: str = LOCK_TABLE
    document: str = DOCUMENT

    @property
    def principals(self) -> tuple[IamPrincipal, ...]:
        """Every principal, for a Function URL to tell apart."""
        people = (self.operator, self.deployer, self.function)
        return (*self.agents.values(), *self.chats.values(), *people)


async def seed(
    url: str,
    registry: Registry,
    images: Sequence[SeededImage],
    bots: Sequence[str] = ("demo",),
) -> Seeded:
    """Make a fleet that runs on older images than the newest; `url` is our moto's.

    `bots` are chat bots that ride no instance; each instance has a chat key anyway.
    """
    hosts = list(_hosts(registry, images))
    agents = {id_: ("agent", id_) for id_ in registry}
    chats = {bot: ("chat", bot) for bot in (*registry, *bots)}
    users = [
        *(_fleet_user(role, owner) for role, owner in chain(agents.values(), chats.values())),
        *_others(),
    ]
    plan = {
        "region": REGION,
        "hosts": hosts,
        "users": users,
        "documents": {DOCUMENT: _HEALTH},
        "buckets": [STATE_BUCKET, BOOTSTRAP_BUCKET],
        "state_bucket": STATE_BUCKET,
        "tables": {LOCK_TABLE: "LockID", CONTROL_TABLE: "pk"},
    }
    made = await tell(url, "seed", plan)
    principals = [
        IamPrincipal(**raw, may_invoke=user["policy"] in (_INVOKER, _OPERATOR))
        for raw, user in zip(made["users"], users, strict=True)
    ]
    mine = iter(principals)
    return Seeded(
        images=tuple(images),
        hosts=tuple(
            SeededHost(id_, host["name"], host["image"], host["launched"])
            for id_, host in zip(made["hosts"], hosts, strict=True)
        ),
        agents={id_: next(mine) for id_ in agents},
        chats={bot: next(mine) for bot in chats},
        operator=next(mine),
        deployer=next(mine),
        function=next(mine),
    )


def _hosts(registry: Registry, images: Sequence[SeededImage]) -> Iterator[dict[str, Any]]:
    """One per instance, the images before the newest in turn, the younger of them first."""
    older = images[-2::-1] or images
    for number, (id_, instance) in enumerate(registry.items()):
        image = older[number % len(older)]
        yield {
            "name": id_,
            "type": instance.instance_type,
            "image": image.id,
            "revision": image.commit,
            "launched": image.created + _LAUNCHED_AFTER_IMAGE_SECONDS + 60 * number,
        }


def _fleet_user(role: str, owner: str) -> dict[str, Any]:
    return {"name": f"{owner}-{role}", "path": f"/fleet/{role}/{owner}/", "policy": _INVOKER}


def _others() -> tuple[dict[str, Any], ...]:
    return (
        {"name": "sam", "path": "/people/", "policy": _OPERATOR},
        {"name": "clawdinator-deploy", "path": "/fleet/control/", "policy": _DEPLOYER},
        {"name": "clawdinator-control-api", "path": "/fleet/control/", "policy": _FUNCTION},
    )


def _policy(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


_LOOK = ("ec2:DescribeInstances", "ec2:DescribeInstanceStatus", "ec2:DescribeImages")
_INVOKER = _policy("lambda:InvokeFunctionUrl", *_LOOK)
_OPERATOR = _policy("lambda:InvokeFunctionUrl", "ec2:Describe*", "ssm:*")
_DEPLOYER = _policy("ec2:*", "iam:*", "ssm:*", "s3:*", "dynamodb:*", "sts:*")
_FUNCTION = _policy(
    "ssm:GetParameter", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"
)

# As tofu/control/health.tf has it.
_HEALTH = {
    "schemaVersion": "2.2",
    "description": "How is this host? Its revision and its units, as one JSON object.",
    "mainSteps": [
        {
            "action": "aws:runShellScript",
            "name": "health",
            "inputs": {
                "timeoutSeconds": "20",
                "runCommand": ["/run/current-system/sw/bin/clawdinator-health"],
            },
        }
    ],
}
