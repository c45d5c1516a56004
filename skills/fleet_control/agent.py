"""As whom the command speaks on this host, and by which keys: files of the host, or variables."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from fleet_control import host_file
from fleet_control.caller import BotInstance, is_instance_id
from fleet_control.error import SettingsError
from fleet_control.host_file import first_line, is_private_url, is_region, is_secret
from fleet_control.ledger import RequestId, parse_request_id

PREFIX = "FLEET_CONTROL_"
DEFAULT_PLACE = "cli"
DEFAULT_POLL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Agent:
    """The bot instance of this host, and how it reaches the outside.

    Attributes:
        token, access_key, secret_key: what the Control API and EC2 know it by.
        ec2_url: another EC2 than AWS's, for the sandbox.
        registry_file: a local copy, for when the Control API does not answer.
        place: where its asks come from, as its request ids say.
        poll: seconds between two looks at a run that goes on.
    """

    instance: str
    api_url: str
    region: str
    token: str = field(repr=False)
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    ec2_url: str | None
    registry_file: Path
    place: str
    poll: float

    @property
    def caller(self) -> BotInstance:
        return BotInstance(self.instance)

    def request_id(self, asked: str) -> str:
        return str(RequestId("agent", self.instance, self.place, asked))


class _Setting(NamedTuple):
    """`file` is below the root folder; `must` says what would be valid."""

    variable: str
    file: str
    holds: Callable[[str], bool]
    must: str


def _is_place(text: str) -> bool:
    try:
        parse_request_id(f"agent.x.{text}.x")
    except ValueError:
        return False
    return True


def _is_seconds(text: str) -> bool:
    return re.fullmatch(r"\d{1,3}(\.\d{1,3})?", text) is not None and float(text) > 0


def _seconds(text: str) -> float:
    return float(text) if _is_seconds(text) else DEFAULT_POLL_SECONDS


_SECRET = "must be one line of printable characters without spaces"  # noqa: S105  (a sentence)
_INSTANCE = _Setting(
    "INSTANCE",
    host_file.INSTANCE,
    is_instance_id,
    "must be the id of this host's instance, as in clawdinator-1",
)
_API_URL = _Setting(
    "API_URL",
    host_file.CONTROL_API_URL,
    is_private_url,
    "must be the Control API's Function URL, https://…",
)
_REGION = _Setting(
    "REGION",
    host_file.REGION,
    is_region,
    "must be the fleet's AWS region, as in eu-central-1",
)
_TOKEN = _Setting("TOKEN", host_file.CONTROL_TOKEN, is_secret, _SECRET)
_ACCESS_KEY = _Setting(
    "AWS_ACCESS_KEY_ID", "run/agenix/clawdinator-control-aws-access-key-id", is_secret, _SECRET
)
_SECRET_KEY = _Setting(
    "AWS_SECRET_ACCESS_KEY",
    "run/agenix/clawdinator-control-aws-secret-access-key",
    is_secret,
    _SECRET,
)
_EC2_URL = _Setting("EC2_URL", "", is_private_url, "must be an EC2 endpoint, https://…")
_PLACE = _Setting("PLACE", "", _is_place, "must be at most 20 letters, digits, _ or -")
_POLL = _Setting("POLL_SECONDS", "", _is_seconds, "must be seconds, more than 0 and below 1000")


def load(environ: Mapping[str, str]) -> Agent:
    """The agent of this host; SettingsError names everything that is missing or wrong, at once.

    Each variable stands before its file. ``FLEET_CONTROL_ROOT`` is the folder the files are below.
    """
    root = Path(environ.get(f"{PREFIX}ROOT") or "/")
    problems: list[str] = []

    def needed(setting: _Setting) -> str:
        return _needed(setting, environ, root, problems)

    def optional(setting: _Setting) -> str:
        return _optional(setting, environ, problems)

    agent = Agent(
        instance=needed(_INSTANCE),
        api_url=needed(_API_URL),
        region=needed(_REGION),
        token=needed(_TOKEN),
        access_key=needed(_ACCESS_KEY),
        secret_key=needed(_SECRET_KEY),
        ec2_url=optional(_EC2_URL) or None,
        registry_file=Path(environ.get(f"{PREFIX}REGISTRY_FILE") or root / host_file.REGISTRY),
        place=optional(_PLACE) or DEFAULT_PLACE,
        poll=_seconds(optional(_POLL)),
    )
    if problems:
        raise SettingsError(problems)
    return agent


def _needed(setting: _Setting, environ: Mapping[str, str], root: Path, problems: list[str]) -> str:
    variable, path = PREFIX + setting.variable, root / setting.file
    value = environ.get(variable, "").strip()
    source = variable
    if not value:
        source = f"{variable} is not set, and {path}"
        try:
            value = first_line(path.read_text())
        except FileNotFoundError:
            problems.append(f"{source} is not there: it {setting.must}")
            return ""
        except PermissionError:
            problems.append(f"{source} is not yours to read: ask as the agent's user, or as root")
            return ""
        except (OSError, ValueError) as error:
            problems.append(f"{source} can't be read ({_why(error)}): it {setting.must}")
            return ""
    if not setting.holds(value):
        problems.append(f"{source} {'is wrong' if value else 'is empty'}: it {setting.must}")
    return value


def _optional(setting: _Setting, environ: Mapping[str, str], problems: list[str]) -> str:
    value = environ.get(PREFIX + setting.variable, "").strip()
    if value and not setting.holds(value):
        problems.append(f"{PREFIX}{setting.variable} {setting.must}")
    return value


def _why(error: OSError | ValueError) -> str:
    """Without the bytes that a decoding error quotes."""
    return (error.strerror if isinstance(error, OSError) else None) or "it is not text"
