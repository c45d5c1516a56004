"""The answers to mentions, which share what Discord lets a bot say in one channel.

Commands and presses don't: each of them is answered by a token of its own.
"""

import asyncio
from collections import defaultdict
from contextlib import nullcontext

from clawbot.answers import Commands
from clawbot.ask import Ask
from clawbot.crowd import ONE_AT_A_TIME, Crowd, goes_first
from clawbot.living_reply import LivingReply, State
from clawbot.parsing import Unreadable, in_words
from clawbot.requests import Request
from fleet_control.caller import BotInstance
from fleet_control.clock import Clock


class Mentions:
    """Answers operators at once, and the others in a channel one after the other."""

    def __init__(self, commands: Commands, clock: Clock) -> None:
        self._commands = commands
        self._crowd = Crowd(clock)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def answer(self, ask: Ask, request: Request | Unreadable, reply: LivingReply) -> None:
        over = asyncio.Event()

        def answered() -> bool:
            return over.is_set() or reply.state is not State.UNSENT

        if not self._crowd.admits(ask.caller, ask.account, answered):
            ask.audit(f"dropped: {in_words(request)}")
            if self._crowd.tells(ask.account):
                async with self._turns[ask.channel]:
                    await reply.show(ONE_AT_A_TIME)
            return
        # An instance's deploy may take long, and instances are few.
        waits = not (goes_first(ask.caller) or isinstance(ask.caller, BotInstance))
        try:
            async with self._turns[ask.channel] if waits else nullcontext():
                await self._commands.answer(ask, request, reply)
        finally:
            over.set()
