"""Who speaks in Telegram, by what Telegram itself vouches for: ids, never names."""

from dataclasses import replace

from telegram import MaybeInaccessibleMessage, Message, User
from telegram.constants import ChatID, ChatType

from clawbot.ask import Ask
from clawbot.settings import Settings
from clawbot.speaker import UNANSWERED, doubted
from fleet_control.caller import BotInstance, Caller, Human, Unknown
from fleet_control.registry import Registry

PLATFORM = "telegram"
# Telegram writes these names for whoever hides behind a group or a channel.
_MASKS = (ChatID.ANONYMOUS_ADMIN, ChatID.FAKE_CHANNEL)
# Said to a bot that is no member of the chat; the library has these from 22.8 on.
_GUESTS = ("guest_query_id", "guest_bot_caller_user", "guest_bot_caller_chat")


def account(user: User) -> str:
    return f"{PLATFORM}:{user.id}"


def wrote(message: Message, user: User, settings: Settings, registry: Registry | None) -> Ask:
    """What a message of `user` asks for."""
    return _ask(author(message, settings, registry), user, message, settings, registry)


def pressed(
    user: User, message: MaybeInaccessibleMessage, settings: Settings, registry: Registry | None
) -> Ask:
    """What `user` asks for by a button below `message`."""
    caller = person(user, settings, registry)
    return replace(_ask(caller, user, message, settings, registry), pressed=True)


def _ask(
    caller: Caller | None,
    user: User,
    message: MaybeInaccessibleMessage,
    settings: Settings,
    registry: Registry | None,
) -> Ask:
    who = caller or UNANSWERED
    return Ask(
        caller=who,
        platform=PLATFORM,
        bot=settings.bot,
        channel=str(message.chat.id),
        asked=str(message.message_id),
        account=account(user),
        name=user.full_name,
        said=message.date.timestamp(),
        doubted=doubted(who, registry),
    )


def author(message: Message, settings: Settings, registry: Registry | None) -> Caller | None:
    """Who wrote a message; None for whoever must not be answered.

    A person behind a mask, or words that are not the sender's own, are Unknown: a person will
    read why. Where a program may read the answer there is none, or two bots could loop.
    """
    if _not_said_here(message) or message.from_user is None:
        return None
    reason, instance = _reason(message), _instance(message.from_user, registry)
    if instance or (message.from_user.is_bot and message.from_user.id not in _MASKS):
        return None if reason else instance
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
