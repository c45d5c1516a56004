"""Who speaks in Telegram, by what Telegram itself vouches for: ids, never names."""

import logging

from telegram import Message, User
from telegram.constants import ChatID, ChatType

from clawbot.ask import Ask
from clawbot.bot import Bot
from clawbot.replies import broken
from clawbot.settings import Settings
from fleet_control.caller import BotInstance, Caller, Human, Unknown
from fleet_control.error import FleetError
from fleet_control.registry import Registry

PLATFORM = "telegram"
# Telegram writes these names for whoever hides behind a group or a channel.
_MASKS = (ChatID.ANONYMOUS_ADMIN, ChatID.FAKE_CHANNEL)
# Said to a bot that is no member of the chat; the library has these from 22.8 on.
_GUESTS = ("guest_query_id", "guest_bot_caller_user", "guest_bot_caller_chat")
DOUBTED = broken(
    "I have not seen the registry yet, so I can't tell whether you are one of its instances. "
    "I did nothing. Ask again in a minute."
)

log = logging.getLogger(__name__)


def account(user: User) -> str:
    return f"{PLATFORM}:{user.id}"


def ask(caller: Caller, user: User, message: Message) -> Ask:
    """What `user` said in `message`, or by a button below it."""
    return Ask(
        caller=caller,
        platform=PLATFORM,
        channel=str(message.chat.id),
        asked=str(message.message_id),
        account=account(user),
        name=user.full_name,
        said=message.date.timestamp(),
    )


async def registry_for(user: User | None, bot: Bot, *, acts: bool = False) -> Registry | None:
    """The registry that tells who this is; None where it can't be had.

    For a program only one that was asked for will do, for an operator who `acts` one that was seen
    before; anybody else is told by what is known.
    """
    last = bot.fleet.registry.last
    known = last.registry if last else None
    if user is None:
        return known
    needed = acts and known is None and account(user) in bot.settings.operators
    if not (user.is_bot or needed):
        return known
    try:
        return (await bot.fleet.registry.get()).registry
    except FleetError as error:
        log.warning("telegram.registry_unseen user=%s why=%s", user.id, error)
        return None


def doubted(caller: Caller, registry: Registry | None) -> bool:
    """Whether this operator may be an instance that no registry has told us of yet."""
    return registry is None and isinstance(caller, Human) and caller.operator


def author(message: Message, settings: Settings, registry: Registry | None) -> Caller | None:
    """Who wrote a message; None for whoever must not be answered.

    A person behind a mask, or words that are not the sender's own, are Unknown: a person will
    read why. Where a program may read the answer there is none, or two bots could loop.
    """
    if _not_said_here(message) or message.from_user is None:
        return None
    reason = _reason(message)
    if message.from_user.is_bot and message.from_user.id not in _MASKS:
        return None if reason else _instance(message.from_user, registry)
    return Unknown(reason) if reason else person(message.from_user, settings, registry)


def person(user: User, settings: Settings, registry: Registry | None) -> Caller | None:
    """Who presses a button; an account that the registry gives to an instance is that instance."""
    instance = _instance(user, registry)
    if instance or user.is_bot:
        return instance
    return Human(account(user), user.full_name, account(user) in settings.operators)


def _not_said_here(message: Message) -> bool:
    """Said long ago and edited, or to somebody else: guests, businesses, a linked channel."""
    return bool(
        message.edit_date
        or message.is_automatic_forward
        or message.business_connection_id
        or message.sender_business_bot
        or message.chat.type == ChatType.CHANNEL
        or any(_field(message, name) for name in _GUESTS)
    )


def _field(message: Message, name: str) -> object:
    """A field that an older library keeps as it came, without a name of its own for it."""
    return getattr(message, name, None) or message.api_kwargs.get(name)


def _reason(message: Message) -> str:
    """Why a message's words are not those of the account it came from; empty if they are."""
    if message.sender_chat is not None or (
        message.from_user is not None and message.from_user.id in _MASKS
    ):
        same = message.sender_chat is None or message.sender_chat.id == message.chat.id
        return "an anonymous admin" if same else "a channel"
    if message.forward_origin is not None:
        return "a forwarded message"
    if message.via_bot is not None:
        return "a message sent through another bot"
    return ""


def _instance(user: User, registry: Registry | None) -> BotInstance | None:
    instance = registry.by_telegram(str(user.id)) if registry else None
    return BotInstance(instance) if instance else None
