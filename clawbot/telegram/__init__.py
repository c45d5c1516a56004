"""`/fleet` in Telegram: `handlers` for an application that exists, `run` for one of our own."""

from clawbot.telegram.front import Front
from clawbot.telegram.handler import handlers

__all__ = ["Front", "handlers"]
