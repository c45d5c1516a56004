"""What is there before the first command: hosts, images, users, a document, a place for states."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clawbot.sandbox.image import Image
from clawbot.sandbox.principal import Principal
from fleet_control.registry import Registry

REGION = "eu-central-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True, slots=True)
class SeededHost:
    """A host that has been there for days.

    Attributes:
        launched: Unix seconds.
    """

    id: str
    name: str
    launched: float


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made.

    Attributes:
        images: the oldest first.
        agents: instance id to the key its agent signs with.
        chats: the bot's name (an instance id, or ``demo``) to the key it signs with.
        operator: a person's own IAM user, not of the fleet.
        deployer: what a run acts as.
        function: what the Lambda itself acts as (its execution role).
    """

    images: tuple[Image, ...]
    hosts: tuple[SeededHost, ...]
    agents: Mapping[str, Principal]
    chats: Mapping[str, Principal]
    operator: Principal
    deployer: Principal
    function: Principal
    region: str = REGION
    account: str = ACCOUNT
    state_bucket: str = "clawdinator-tofu-state"
    lock_table: str = "clawdinator-tofu-lock"
    document: str = "clawdinator-service-active"

    @property
    def invokers(self) -> tuple[Principal, ...]:
        """Everyone a Function URL should know."""
        return (*self.agents.values(), *self.chats.values(), self.operator, self.deployer)


async def seed(
    url: str,
    registry: Registry,
    images: Sequence[Image],
    now: float,
    bots: Sequence[str] = ("demo",),
) -> Seeded:
    """Make a fleet that runs on older images than the newest; `url` is moto's own, or the proxy's.

    `bots` are chat bots that ride no instance; each instance has a chat key anyway.
    """
    raise NotImplementedError
