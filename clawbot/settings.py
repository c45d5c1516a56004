"""Every setting of the bot in one place."""

import re
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsConfigDict

from clawbot import login
from fleet_control import settings
from fleet_control.caller import is_instance_id
from fleet_control.error import RegistryError
from fleet_control.line import code
from fleet_control.registry import Registry, parse
from fleet_control.settings import (
    SECRETS,
    HostFile,
    HostSettings,
    HostSource,
    Secret,
    holds,
    setting,
)

PREFIX = "CLAWBOT_"
_USERS = {
    "discord": re.compile(r"[1-9][0-9]{0,19}"),
    "telegram": re.compile(r"[1-9][0-9]{0,15}"),
    # The sandbox's chat.
    "terminal": re.compile(r"[A-Za-z0-9_-]{1,32}"),
}

# The setting that names the fleet's channel, by platform.
FLEET_CHANNELS = {"discord": "discord_fleet_channel", "telegram": "telegram_fleet_chat"}
# A call of more would be one of everybody.
MOST_CALLS = 10

T = TypeVar("T")


class LogForm(StrEnum):
    """How a log's lines are written."""

    TEXT = "text"
    JSON = "json"


def _account(account: str) -> str:
    platform, _, user = account.partition(":")
    form = _USERS.get(platform)
    if form and form.fullmatch(user):
        return account
    shown = code(account)
    if re.search(r"\s+\w+:", account):
        raise ValueError(f"{shown} holds more than one account: put commas between them")
    raise ValueError(
        f"{shown} is not <platform>:<user id>, as in discord:80351110224678912 or telegram:777"
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _split(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


BotName = Annotated[str, holds(is_instance_id)]
Account = Annotated[str, AfterValidator(_account)]
Listed = Annotated[tuple[T, ...], BeforeValidator(_split)]
Seconds = Annotated[float, Field(gt=0, le=600, description="seconds, more than 0 and at most 600")]
Snowflake = Annotated[int, Field(gt=0, lt=2**64)]
# A group's is negative, a supergroup's begins with -100.
ChatId = Annotated[int, Field(gt=-(2**52), lt=2**52)]
TelegramUser = Annotated[int, Field(gt=0, lt=2**52)]
# A group's id, and in it a topic's.
FleetChat = Annotated[str, holds(re.compile(r"-[1-9][0-9]{0,15}(/[1-9][0-9]{0,15})?").fullmatch)]
DiscordCall = Annotated[str, holds(re.compile(r"&?[1-9][0-9]{0,19}").fullmatch)]
WebhookSecret = Annotated[SecretStr, holds(re.compile(r"[A-Za-z0-9_-]{16,256}").fullmatch)]


class _BotSource(HostSource):
    """What is needed, and where a token lies, depends on what was found before."""

    def __call__(self) -> dict[str, Any]:
        found = super().__call__()
        if registry := self._registry():
            agents = {"discord": registry.by_discord, "telegram": registry.by_telegram}
            for platform, agent_of in agents.items():
                token = str(found.get(f"{platform}_token", "")).encode(errors="replace")
                if agent := agent_of(login.account(token).decode()):
                    why = f"is of the account that speaks as {agent}"
                    self.refuse(f"{platform}_token", why, "the bot needs one of its own")
        for platform, channel in FLEET_CHANNELS.items():
            self._look_at_fleet_channel(platform, channel)
        self._look_at_groups()
        return found

    def _look_at_fleet_channel(self, platform: str, channel: str) -> None:
        """Whether it can be told, and whoever is to be called has one to be called in."""
        named, calls = self._said(channel), f"{platform}_fleet_calls"
        if self._said(calls) and not named:
            right = f"set {PREFIX}{channel.upper()} too, or leave it out"
            self.refuse(calls, "is set, and no channel to call them in", right)
        # On a host the settings are those of every host, and its bot may have one of two tokens.
        if named and not {f"{platform}_token", "instance"} & self.found.keys():
            right = f"set {PREFIX}{platform.upper()}_TOKEN too, or leave it out"
            self.refuse(channel, f"is set, and no token for {platform.capitalize()}", right)
        if len(_split(self._said(calls))) > MOST_CALLS:
            self.refuse(calls, "names too many", f"at most {MOST_CALLS} can be called at once")

    def _look_at_groups(self) -> None:
        """Whether the fleet is told where the bot is heard, and not everybody is called."""
        chat, _, _ = self._said("telegram_fleet_chat").partition("/")
        if chat and chat not in _split(self._said("telegram_chats")):
            right = f"it must be one of {PREFIX}TELEGRAM_CHATS, with a topic of it or without"
            self.refuse("telegram_fleet_chat", "is none of the fleet's groups", right)
        everyone = f"&{self._said('discord_guild')}"
        if everyone in _split(self._said("discord_fleet_calls")):
            right = "name a role that not everybody has"
            self.refuse("discord_fleet_calls", "names the guild, whose role is everybody's", right)

    def _said(self, name: str) -> str:
        return str(self.found.get(name, ""))

    def _registry(self) -> Registry | None:
        """The local copy; what is wrong with it is told elsewhere."""
        try:
            return parse(Path(self.found["registry_file"]).read_bytes())
        except (KeyError, OSError, RegistryError):
            return None

    def is_needed(self, field: FieldInfo, name: str) -> bool:
        match name:
            case "instance":
                return "name" not in self.found
            case "telegram_webhook_secret":
                return "telegram_webhook_url" in self.found
        return super().is_needed(field, name)

    def file(self, field: FieldInfo, name: str) -> HostFile | None:
        """Of tokens the bot's own alone: with the agent's, the agent could rewrite its buttons."""
        if name not in ("discord_token", "telegram_token"):
            return super().file(field, name)
        entry = (self._registry() or {}).get(self.found.get("instance", ""))
        secret = getattr(entry, f"clawbot_{name}_secret") if entry else None
        return HostFile(f"{SECRETS}/{secret}") if secret else None


class Settings(HostSettings):
    """What the bot needs to know.

    Attributes:
        name: the bot's own name where it rides no instance; the name its chat key carries.
        instance: the instance whose host carries this bot; empty beside the fleet.
        operators: accounts that may deploy, ``<platform>:<user id>``.
        ec2_url: another EC2 than AWS's, for the sandbox.
        registry_file: a local copy, for when the Control API does not answer.
        running_every, waiting_every: seconds between two looks at a run.
        discord_token, telegram_token: on a host each lies in the file that the registry names
            as the bot's own; where it names none, there is none.
        discord_channels: where it answers; empty for all of the guild.
        discord_fleet_channel, telegram_fleet_chat: where the fleet is told of without being
            asked; where none is named, nothing is.
        discord_fleet_calls, telegram_fleet_calls: who is called there for failures.
        log: how its log is written.
        telegram_chats: the fleet's groups; an operator's own chat with the bot is always one.
        telegram_api_url: another Bot API server than Telegram's.
        telegram_webhook_url: where Telegram is to send updates; empty for polling.
        telegram_webhook_address, telegram_webhook_port: where we listen for them, behind whatever
            speaks TLS.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid")
    user: ClassVar[str] = "bot"
    read_elsewhere: ClassVar = ("nix_secrets", "operator_identity", "bootstrap_bucket")
    source: ClassVar[type[HostSource]] = _BotSource

    name: BotName = setting("a name for the bot of an instance id's form, as in clawbot", "")
    instance: Annotated[BotName, settings.INSTANCE] = setting(
        "the id of the instance whose host carries the bot, as in clawdinator-1; "
        f"a bot beside the fleet has {PREFIX}NAME instead",
        "",
    )
    operators: Listed[Account] = ()
    region: settings.Region
    control_api_url: settings.ControlApiUrl
    control_token: settings.ControlToken
    aws_access_key_id: Annotated[
        Secret, HostFile(f"{SECRETS}/clawdinator-chat-aws-access-key-id")
    ] = setting("the chat key's id, one line of printable characters without spaces")
    aws_secret_access_key: Annotated[
        Secret, HostFile(f"{SECRETS}/clawdinator-chat-aws-secret-access-key")
    ] = setting("the chat key's secret, one line of printable characters without spaces")
    ec2_url: settings.Ec2Url = None
    registry_file: Annotated[Path | None, settings.REGISTRY] = setting("a registry's path", None)
    log: LogForm = setting("text or json", LogForm.TEXT)
    running_every: Seconds = 10.0
    waiting_every: Seconds = 30.0
    discord_token: Secret | None = setting("the bot's Discord token, one line without spaces", None)
    discord_guild: Snowflake | None = setting("the guild's id, a number", None)
    discord_channels: Listed[Snowflake] = setting("channels' ids, numbers with commas", ())
    discord_operator_roles: Listed[Snowflake] = setting("roles' ids, numbers with commas", ())
    discord_fleet_channel: Snowflake | None = setting("the id of a channel of the guild", None)
    discord_fleet_calls: Listed[DiscordCall] = setting(
        "users' ids, and roles' as in &80351110224678912, with commas", ()
    )
    telegram_token: Secret | None = setting(
        "the bot's Telegram token, one line without spaces", None
    )
    telegram_chats: Listed[ChatId] = setting("groups' ids as in -1001234567890, with commas", ())
    telegram_fleet_chat: FleetChat | None = setting(
        "one of the fleet's groups, as in -1001234567890, or with a topic -1001234567890/5", None
    )
    telegram_fleet_calls: Listed[TelegramUser] = setting("users' ids, numbers with commas", ())
    telegram_api_url: HttpUrl | None = setting("the URL of a Bot API server", None)
    telegram_webhook_url: HttpUrl | None = setting(
        "where Telegram reaches this bot, https://…", None
    )
    telegram_webhook_address: Annotated[str, holds(_is_address)] = setting(
        "an address of this machine, as in 127.0.0.1 or 0.0.0.0", "127.0.0.1"
    )
    telegram_webhook_port: int = setting("a port, a number up to 65535", 8443, ge=0, lt=2**16)
    telegram_webhook_secret: WebhookSecret | None = setting(
        "16 to 256 letters, digits, _ and -, since a webhook without one believes anybody", None
    )

    @property
    def bot(self) -> str:
        """The name its chat key carries."""
        return self.instance or self.name

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret among them: none may be in any line of the log."""
        return tuple(one.get_secret_value() for _, one in self if isinstance(one, SecretStr))

    @property
    def operators_set(self) -> bool:
        """Whether anybody at all may deploy."""
        return bool(self.operators or self.discord_operator_roles)


def load(environ: Mapping[str, str], root: Path = Path("/")) -> Settings:
    """From `environ`, then the files below `root`; SettingsError has all problems at once."""
    return Settings.of(environ, root)
