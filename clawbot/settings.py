"""Every setting in one place: environment first, then the files that lie on a host."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
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

from clawbot.page import cut
from clawbot.token_file import SECRETS, token_files
from fleet_control import host_file
from fleet_control.caller import is_instance_id
from fleet_control.host_file import first_line, is_private_url, is_region, is_secret

PREFIX = "CLAWBOT_"
# Where a value lies on a host that was made by this repository, below the root folder.
FILES = {
    "instance": host_file.INSTANCE,
    "region": host_file.REGION,
    "control_api_url": host_file.CONTROL_API_URL,
    "control_token": host_file.CONTROL_TOKEN,
    "aws_access_key_id": "run/agenix/clawdinator-chat-aws-access-key-id",
    "aws_secret_access_key": "run/agenix/clawdinator-chat-aws-secret-access-key",
    "registry_file": host_file.REGISTRY,
}
# Values that are lists, separated by commas.
_LISTS = ("operators", "discord_channels", "discord_operator_roles", "telegram_chats")
# These name a file rather than hold a value.
_NAMED = ("registry_file",)
# Variables of our prefix that other commands of ours read.
_ELSEWHERE = ("NIX_SECRETS", "OPERATOR_IDENTITY", "BOOTSTRAP_BUCKET")
_USERS = {
    "discord": re.compile(r"[1-9][0-9]{0,19}"),
    "telegram": re.compile(r"[1-9][0-9]{0,15}"),
    "terminal": re.compile(r"[A-Za-z0-9_-]{1,32}"),
}
# What each setting is, where one is missing or wrong.
_IS = {
    "instance": "the id of the instance whose host carries the bot, as in clawdinator-1",
    "name": "a name for the bot of an instance id's form, as in clawbot",
    "region": "the fleet's AWS region, as in eu-central-1",
    "control_api_url": "the Control API's Function URL, https://… (http:// to this machine only)",
    "control_token": "the shared control token, one line without spaces",
    "aws_access_key_id": "the chat key's id, one line without spaces",
    "aws_secret_access_key": "the chat key's secret, one line without spaces",
    "ec2_url": "an EC2 endpoint, https://… (http:// to this machine only)",
    "registry_file": "the path of a registry",
    "running_every": "seconds, more than 0 and at most 600",
    "waiting_every": "seconds, more than 0 and at most 600",
    "discord_token": "the bot's Discord token, one line without spaces",
    "discord_guild": "the guild's id, a number",
    "discord_channels": "channels' ids, numbers with commas between them",
    "discord_operator_roles": "roles' ids, numbers with commas between them",
    "telegram_token": "the bot's Telegram token, one line without spaces",
    "telegram_chats": "groups' ids, numbers with commas between them, as in -1001234567890",
    "telegram_api_url": "the URL of a Bot API server",
    "telegram_webhook_url": "the URL where Telegram reaches this bot, https://…",
    "telegram_webhook_port": "a port, a number up to 65535",
    "telegram_webhook_secret": "16 to 256 letters, digits, _ and -",
}


class SettingsError(Exception):
    """`problems` has a sentence for each thing that is missing or wrong; no secret is in any."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _holds(is_right: Callable[[str], bool]) -> AfterValidator:
    """A check of a value's text; what would be right, `_IS` says."""

    def checked(value: Any) -> Any:
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        if not is_right(text):
            raise ValueError
        return value

    return AfterValidator(checked)


def _account(account: str) -> str:
    platform, _, user = account.partition(":")
    form = _USERS.get(platform)
    if form and form.fullmatch(user):
        return account
    shown = f"`{cut(account, 40)}`"
    if re.search(r"\s+\w+:", account):
        raise ValueError(f"{shown} holds more than one account: put commas between them")
    raise ValueError(
        f"{shown} is not <platform>:<user id>, as in discord:80351110224678912, telegram:777 "
        "or terminal:operator"
    )


def _is_webhook_secret(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_-]{16,256}", text) is not None


BotName = Annotated[str, _holds(is_instance_id)]
Account = Annotated[str, AfterValidator(_account)]
Region = Annotated[str, _holds(is_region)]
PrivateUrl = Annotated[HttpUrl, _holds(is_private_url)]
Secret = Annotated[SecretStr, _holds(is_secret)]
Snowflake = Annotated[int, Field(gt=0, lt=2**64)]
# A group's is negative, a supergroup's begins with -100.
ChatId = Annotated[int, Field(gt=-(2**52), lt=2**52)]
WebhookSecret = Annotated[SecretStr, _holds(_is_webhook_secret)]


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
    region: Region
    control_api_url: PrivateUrl
    control_token: Secret
    aws_access_key_id: Secret
    aws_secret_access_key: Secret
    ec2_url: PrivateUrl | None = None
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
    problems = _unheard_of(environ)
    credentials = environ.get("CREDENTIALS_DIRECTORY", "")
    found = _from_environ(environ)
    found |= _from_files(_left(FILES, found), root, credentials, problems)
    found |= _from_files(_left(_token_files(found, root), found), root, credentials, problems)
    _together(found, problems)
    try:
        settings = Settings(**found)
    except ValidationError as error:
        for detail in error.errors():
            _add(problems, str(detail["loc"][0]), dict(detail))
        raise SettingsError(list(problems.values())) from None  # pydantic's words may quote a value
    if problems:
        raise SettingsError(list(problems.values()))
    return settings


def _unheard_of(environ: Mapping[str, str]) -> dict[str, str]:
    """A sentence for each variable of our prefix that nobody reads: a slip of the pen, surely."""
    known = [PREFIX + name.upper() for name in (*Settings.model_fields, *_ELSEWHERE)]
    return {
        variable: f"{cut(variable, 60)} is no setting{_nearest(variable, known)}"
        for variable, value in environ.items()
        if variable.startswith(PREFIX) and value.strip() and variable not in known
    }


def _nearest(variable: str, known: list[str]) -> str:
    near = get_close_matches(variable[:60], known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    """What is set; an empty variable counts as not set, so that the host's file serves."""
    found: dict[str, Any] = {
        name: value
        for name in Settings.model_fields
        if (value := environ.get(PREFIX + name.upper(), "").strip())
    }
    for name in _LISTS:
        if name in found:
            found[name] = [one.strip() for one in found[name].split(",") if one.strip()]
    if "control_token" in found:
        found["control_token"] = first_line(found["control_token"])
    return found


def _left(files: Mapping[str, str | Path], found: Mapping[str, Any]) -> dict[str, str | Path]:
    return {name: place for name, place in files.items() if name not in found}


def _token_files(found: Mapping[str, Any], root: Path) -> Mapping[str, Path]:
    instance, registry = found.get("instance"), found.get("registry_file")
    return token_files(instance, Path(registry), root) if instance and registry else {}


def _from_files(
    files: Mapping[str, str | Path], root: Path, credentials: str, problems: dict[str, str]
) -> dict[str, Any]:
    """What the files hold. systemd hands a service its secrets in a folder of its own."""
    found: dict[str, Any] = {}
    for name, place in files.items():
        path = root / place
        if credentials and path.parent == root / SECRETS:
            path = Path(credentials) / path.name
        try:
            if path.exists():
                found[name] = path if name in _NAMED else first_line(path.read_text())
        except (OSError, UnicodeDecodeError) as error:
            problems[name] = f"{path} can't be read ({type(error).__name__}): {_right(name)}"
        if found.get(name) == "":
            del found[name]
            problems[name] = f"{path} is empty: {_right(name)}"
    return found


def _right(field: str) -> str:
    return f"it must be {_IS[field]}"


def _together(found: Mapping[str, Any], problems: dict[str, str]) -> None:
    """What no setting can be wrong about by itself."""
    if not found.get("instance") and not found.get("name"):
        problems.setdefault(
            "instance",
            f"{PREFIX}INSTANCE (or the file /{FILES['instance']}) is missing: {_IS['instance']}; "
            f"or {PREFIX}NAME: {_IS['name']}",
        )
    if found.get("telegram_webhook_url") and not found.get("telegram_webhook_secret"):
        problems["telegram_webhook_secret"] = (
            f"{PREFIX}TELEGRAM_WEBHOOK_SECRET is missing: {_IS['telegram_webhook_secret']}, "
            "since a webhook without one believes anybody"
        )


def _add(problems: dict[str, str], field: str, detail: dict[str, Any]) -> None:
    """One sentence for each setting, in our own words."""
    variable = PREFIX + field.upper()
    place = f" (or the file /{FILES[field]})" if field in FILES else ""
    if detail["type"] == "missing":
        said = f"{variable}{place} is missing: {_IS[field]}"
    elif field == "operators":
        said = f"{variable}: {detail['msg'].removeprefix('Value error, ')}"
    else:
        said = f"{variable}{place} is wrong: {_right(field)}"
    problems.setdefault(field, said)
