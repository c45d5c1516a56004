"""Every setting in one place: environment first, then the files that lie on a host."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    ValidationError,
)

from clawbot.token_file import SECRETS, token_files
from fleet_control.caller import is_instance_id

PREFIX = "CLAWBOT_"
# Where a value lies on a host that was made by this repository, below the root folder.
FILES = {
    "instance": "etc/clawdinator/instance",
    "region": "etc/clawdinator/region",
    "control_api_url": "etc/clawdinator/control-api-url",
    "control_token": "run/agenix/clawdinator-control-token",
    "aws_access_key_id": "run/agenix/clawdinator-chat-aws-access-key-id",
    "aws_secret_access_key": "run/agenix/clawdinator-chat-aws-secret-access-key",
    "registry_file": "var/lib/clawd/repos/clawdinators/nix/instances.json",
}
# Values that are lists, separated by commas.
_LISTS = ("operators", "discord_channels", "discord_operator_roles", "telegram_chats")
# These name a file rather than hold a value.
_NAMED = ("registry_file",)
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")


class SettingsError(Exception):
    """`problems` has a sentence for each thing that is missing or wrong; no secret is in any."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _bot_name(name: str) -> str:
    if name and not is_instance_id(name):
        raise ValueError("must be an instance id, or a name of that form")
    return name


def _account(account: str) -> str:
    platform, _, user = account.partition(":")
    if platform not in ("discord", "telegram", "terminal") or not user:
        raise ValueError(f"`{account[:40]}` is not <platform>:<user id>, as in discord:8035111022")
    return account


def _webhook_secret(secret: SecretStr) -> SecretStr:
    if not _WEBHOOK_SECRET.fullmatch(secret.get_secret_value()):
        raise ValueError("must be 16 to 256 letters, digits, _ and -")
    return secret


BotName = Annotated[str, AfterValidator(_bot_name)]
Account = Annotated[str, AfterValidator(_account)]
Secret = Annotated[SecretStr, Field(min_length=1)]
Snowflake = Annotated[int, Field(gt=0, lt=2**64)]
# A group's is negative, a supergroup's begins with -100.
ChatId = Annotated[int, Field(gt=-(2**52), lt=2**52)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]


class Settings(BaseModel):
    """What the bot needs to know.

    Attributes:
        instance: the instance whose host carries this bot; empty beside the fleet.
        name: the bot's own name where it rides no instance; the name its chat key carries.
        operators: accounts that may deploy, ``<platform>:<user id>``, separated by commas.
        control_api_url: the Function URL.
        aws_access_key_id, aws_secret_access_key: the chat key.
        ec2_url: another EC2 than AWS's, for the sandbox.
        registry_file: a local copy, for when the Control API does not answer.
        running_every, waiting_every: seconds between two looks at a run.
        discord_token: the bot's; where it rides an instance, the file the registry names.
        discord_guild: id of the one guild that the bot serves.
        discord_channels: ids of the channels it answers in, separated by commas; empty for all.
        discord_operator_roles: ids of roles whose members may deploy, separated by commas.
        telegram_token: the bot's; where it rides an instance, the file the registry names.
        telegram_chats: ids of the fleet's groups, separated by commas; an operator's own chat with
            the bot is always one of the fleet's.
        telegram_api_url: another Bot API server than Telegram's.
        telegram_webhook_url: where Telegram is to send updates; empty for polling.
        telegram_webhook_port: where we listen for them, behind whatever speaks TLS.
        telegram_webhook_secret: proves that it is Telegram who calls; needed with the URL.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    instance: BotName = ""
    name: BotName = ""
    operators: tuple[Account, ...] = ()
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    control_api_url: HttpUrl
    control_token: Secret
    aws_access_key_id: Secret
    aws_secret_access_key: Secret
    ec2_url: HttpUrl | None = None
    registry_file: Path | None = None
    running_every: Annotated[float, Field(gt=0, le=600)] = 10.0
    waiting_every: Annotated[float, Field(gt=0, le=600)] = 30.0
    discord_token: Secret | None = None
    discord_guild: Snowflake | None = None
    discord_channels: tuple[Snowflake, ...] = ()
    discord_operator_roles: tuple[Snowflake, ...] = ()
    telegram_token: Secret | None = None
    telegram_chats: tuple[ChatId, ...] = ()
    telegram_api_url: HttpUrl | None = None
    telegram_webhook_url: HttpUrl | None = None
    telegram_webhook_port: Annotated[int, Field(ge=0, lt=2**16)] = 8443
    telegram_webhook_secret: WebhookSecret | None = None

    @property
    def bot(self) -> str:
        """The name its chat key carries."""
        return self.instance or self.name

    @property
    def operators_set(self) -> bool:
        """Whether anybody at all may deploy."""
        return bool(self.operators or self.discord_operator_roles)


def load(environ: Mapping[str, str], root: Path = Path("/")) -> Settings:
    """The settings, from `environ`, then from the files below `root`; all problems at once."""
    problems: list[str] = []
    credentials = environ.get("CREDENTIALS_DIRECTORY", "")
    found = _from_files(FILES, root, credentials, problems) | _from_environ(environ)
    found = _from_files(_token_files(found, root), root, credentials, problems) | found
    try:
        settings = Settings(**found)
    except ValidationError as error:
        problems += [_sentence(dict(detail)) for detail in error.errors()]
        raise SettingsError(problems) from None  # pydantic's own words may quote a value
    if not settings.bot:
        problems.append(
            f"{PREFIX}INSTANCE (the instance whose host carries the bot) or {PREFIX}NAME is missing"
        )
    if settings.telegram_webhook_url and not settings.telegram_webhook_secret:
        problems.append(
            f"{PREFIX}TELEGRAM_WEBHOOK_SECRET is missing: 16 to 256 letters, digits, _ and -, "
            "since a webhook without one believes anybody"
        )
    if problems:
        raise SettingsError(problems)
    return settings


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: environ[variable].strip()
        for name in Settings.model_fields
        if (variable := PREFIX + name.upper()) in environ
    }
    for name in _LISTS:
        if name in found:
            found[name] = [one.strip() for one in found[name].split(",") if one.strip()]
    return found


def _token_files(found: Mapping[str, Any], root: Path) -> dict[str, Path]:
    instance, registry = found.get("instance"), found.get("registry_file")
    return token_files(instance, Path(registry), root) if instance and registry else {}


def _from_files(
    files: Mapping[str, str | Path], root: Path, credentials: str, problems: list[str]
) -> dict[str, Any]:
    """What the files hold. systemd hands a service its secrets in a folder of its own."""
    found: dict[str, Any] = {}
    for name, place in files.items():
        path = root / place
        if credentials and path.parent == root / SECRETS:
            path = Path(credentials) / path.name
        try:
            if path.exists():
                found[name] = path if name in _NAMED else path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{path} can't be read ({type(error).__name__})")
    return found


def _sentence(detail: dict[str, Any]) -> str:
    field = str(detail["loc"][0])
    variable = PREFIX + field.upper()
    place = f" (or the file /{FILES[field]})" if field in FILES else ""
    if detail["type"] == "missing":
        return f"{variable}{place} is missing: {_MEANING[field]}"
    return f"{variable}{place}: {detail['msg'].removeprefix('Value error, ')}"


_MEANING = {
    "region": "the AWS region of the fleet, as in eu-central-1",
    "control_api_url": "the Control API's Function URL",
    "control_token": "the shared control token",
    "aws_access_key_id": "the chat key's id",
    "aws_secret_access_key": "the chat key's secret",
}
