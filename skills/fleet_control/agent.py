"""The settings of `fleet-control` on a host: as which instance it speaks, and with which keys."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic_settings import SettingsConfigDict

from fleet_control import settings
from fleet_control.caller import BotInstance, is_instance_id
from fleet_control.ledger import RequestId, parse_request_id
from fleet_control.settings import SECRETS, HostFile, HostSettings, Secret, holds, setting

PREFIX = "FLEET_CONTROL_"


def _is_place(text: str) -> bool:
    try:
        parse_request_id(f"agent.x.{text}.x")
    except ValueError:
        return False
    return True


class Agent(HostSettings):
    """The bot instance of this host, and how it reaches the outside.

    Attributes:
        ec2_url: another EC2 than AWS's, for the sandbox.
        registry_file: a local copy, for when the Control API does not answer.
        place: where its asks come from, as its request ids say.
        poll_seconds: between two looks at a run that goes on.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")
    user: ClassVar[str] = "agent"

    instance: Annotated[str, holds(is_instance_id), settings.INSTANCE] = setting(
        "the id of this host's instance, as in clawdinator-1"
    )
    api_url: settings.ControlApiUrl
    region: settings.Region
    token: settings.ControlToken
    aws_access_key_id: Annotated[
        Secret, HostFile(f"{SECRETS}/clawdinator-control-aws-access-key-id")
    ] = setting("the agent's key id, one line of printable characters without spaces")
    aws_secret_access_key: Annotated[
        Secret, HostFile(f"{SECRETS}/clawdinator-control-aws-secret-access-key")
    ] = setting("the agent's secret key, one line of printable characters without spaces")
    ec2_url: settings.Ec2Url = None
    registry_file: Annotated[Path, settings.REGISTRY]
    place: Annotated[str, holds(_is_place)] = setting("at most 20 letters, digits, _ or -", "cli")
    poll_seconds: float = setting("seconds, more than 0 and below 1000", 10.0, gt=0, lt=1000)

    @property
    def caller(self) -> BotInstance:
        return BotInstance(self.instance)

    def request_id(self, asked: str) -> str:
        return str(RequestId("agent", self.instance, self.place, asked))


def load(environ: Mapping[str, str]) -> Agent:
    """The agent of this host; SettingsError names everything that is missing or wrong, at once.

    ``FLEET_CONTROL_ROOT`` is the folder that the host's files are below.
    """
    return Agent.of(environ, Path(environ.get(f"{PREFIX}ROOT") or "/"))
