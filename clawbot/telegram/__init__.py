"""`/fleet` in Telegram: `add_fleet` to an application that exists, `run` one of our own."""

from clawbot.telegram.extension import add_fleet

__all__ = ["add_fleet"]
