"""Each command on every front: how it is offered, who may, what it answers, and its audit line."""

import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from clawbot.commands import COMMANDS, HELP, OptionKind, Who, command_of
from clawbot.parsing import Unreadable, acts, parse
from clawbot.requests import Request
from clawbot.words import read
from fleet_control.command import ExitCode
from sandbox.discord_api.guild import Member, Message
from sandbox.telegram_api.history import Json
from sandbox.terminal.prompt import CommandCompleter
from tests.audit_line import audit
from tests.chat_scene import Holds
from tests.clawbot.bots import registry
from tests.clawbot.control_api import Api, run
from tests.clawbot.rolls import Moved, lock, roll
from tests.clawbot.talk import Talk, talk_with
from tests.clock import TurnedClock
from tests.discord.dialogue import answer, said
from tests.discord.ec2 import NEWEST, OLDER, OLDEST, Claw
from tests.discord.scene import DiscordScene
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.lambdas import ACCESS_KEY, REGION, SECRET_KEY, TOKEN
from tests.fleet_control.on_host import OnHost
from tests.telegram.scene import FLEET, OPERATOR, TelegramScene, labels

COMMIT = "0a1b2c3"
NAMES = [command.name for command in COMMANDS]
# What acts at once has no button of its own.
PRESSED = [command.name for command in COMMANDS if not acts(command.request())]
TARGETS = {"all", "claw-1", "claw-2"}
# What one front has of another's deploys: it is over, and none of its replies is ours.
RUN = run(7, "completed", "success", target="claw-1", requested_by="discord:9 sam", request_id="")
EVERYTHING: Mapping[OptionKind, set[Any]] = MappingProxyType(
    {OptionKind.TARGET: TARGETS, OptionKind.IMAGE: {NEWEST, OLDER, OLDEST}, OptionKind.RUN: {6, 7}}
)


@dataclass(frozen=True)
class Use:
    """Words that ask for something, and what is then said.

    Attributes:
        reply: what the reply says, without markup and capitals.
        audit: what is asked for, in the audit line.
        sent: target, image and commit of the deploy that the Control API is asked for, if any.
    """

    words: str
    reply: str
    audit: str
    sent: tuple[str, str, str] | None = None

    @property
    def request(self) -> Request | Unreadable:
        return parse(read(self.words))

    @property
    def for_operators(self) -> bool:
        request = self.request
        return not isinstance(request, Unreadable) and command_of(request).who is Who.OPERATORS


USES = (
    Use("status", "2 instances, 2 healthy", "status"),
    Use("Status", "2 instances, 2 healthy", "status"),
    Use("status 7", "there is no such page: this is page 1 of 1", "status 7"),
    Use("deploy", "say which: /fleet deploy <target> [image or commit].", "deploy"),
    Use("deploy claw-2", "deploy claw-2", "deploy claw-2", ("claw-2", "", "")),
    Use("Deploy claw-2", "deploy claw-2", "deploy claw-2", ("claw-2", "", "")),
    Use(f"deploy claw-2 {OLDER}", "deploy claw-2", f"deploy claw-2 {OLDER}", ("claw-2", OLDER, "")),
    Use(
        f"deploy claw-2 {COMMIT}",
        "deploy claw-2",
        f"deploy claw-2 {COMMIT}",
        ("claw-2", "", COMMIT),
    ),
    Use("stop", "run 1 was told.", "stop"),
    Use("cancel", "github shows no deploy that waits.", "cancel"),
    Use("cancel 7", "run 7 is being cancelled", "cancel 7"),
    Use("freeze", "until then deploys are refused", "freeze"),
    Use("freeze for 2h moving", "utc: moving.", "freeze for 2h moving"),
    Use("unfreeze", "the fleet was not frozen.", "unfreeze"),
    Use("deploy all", "this replaces every host of the fleet", "deploy all"),
    Use("`Deploy`, “claw-2”.", "deploy claw-2", "deploy claw-2", ("claw-2", "", "")),
    Use("preflight", "rights in channels", "preflight"),
    Use("preflight now", "that is too many words.", "preflight now"),
    Use("history", "run 7", "history"),
    Use("history claw-2", "the last deploys of claw-2", "history claw-2"),
    Use("history claw-2 9", "there is no such page: this is page 1 of 1", "history claw-2 9"),
    Use("History 9", "there is no such page: this is page 1 of 1", "history 9"),
    Use("history CLAW", "claw is no instance's id, and not all.", "history CLAW"),
    Use("run", "say which: /fleet run <run>.", "run"),
    Use("run 7", "asked for by sam in discord", "run 7"),
    Use("run 8", "there is no deploy with the run id 8.", "run 8"),
    Use("run now", "a run is named by its id, a number, which now is not.", "run now"),
    Use("rollback", "say which: /fleet rollback <target>.", "rollback"),
    Use("rollback claw-2", "goes back to what it ran before run 6", "rollback claw-2"),
    Use("rollback all", "each host goes back to what it ran before", "rollback all"),
    Use("Rollback claw-9", "there is no instance claw-9 in the registry.", "rollback claw-9"),
    Use("resume", "say which: /fleet resume <run>.", "resume"),
    Use("resume 6", "run 6 left 1 host of its roll unreached.", "resume 6"),
    Use("resume 7", "run 7 planned no roll", "resume 7"),
    Use("resume it", "a run is named by its id, a number, which it is not.", "resume it"),
    Use("unlock", "sam@desk holds the lock on the state", "unlock"),
    Use("unlock now", "that is too many words.", "unlock now"),
    Use("help", "/fleet help: what can be asked", "help"),
    Use("", "/fleet help: what can be asked", "help"),
    Use("Statsu 2", "i don't know statsu.", "statsu 2"),
    Use("status 1 2", "that is too many words.", "status 1 2"),
    Use("status two", "the page is a number, which two is not.", "status two"),
    Use("help me", "that is too many words.", "help me"),
    Use("deploy all x y", "that is too many words.", "deploy all x y"),
)


class CommandFront(Protocol):
    """Somewhere to ask.

    Attributes:
        operator: account of the one who may do everything.
        completes: what is offered there for an option, by the option's kind.
    """

    api: Api
    operator: str
    completes: Mapping[OptionKind, set[Any]]

    @staticmethod
    def takes(use: Use) -> bool:
        """Whether that can be asked for there."""
        ...

    async def ask(self, use: Use, *, operator: bool) -> Callable[[], str]:
        """Ask for it; what the reply says by now."""
        ...

    async def until(self, holds: Holds) -> None: ...

    async def offered(self) -> list[str]:
        """The names of the commands that are offered."""
        ...

    async def completed(self, command: str, option: str) -> set[Any]:
        """What is offered for an option of which nothing is typed yet."""
        ...


class _OnDiscord:
    completes: Mapping[OptionKind, set[Any]] = EVERYTHING

    def __init__(self, scene: DiscordScene) -> None:
        self._scene = scene
        self.api: Api = scene.api
        self.operator = f"discord:{scene.operator.id}"
        self.until = scene.until

    def _person(self, operator: bool) -> Member:
        return self._scene.operator if operator else self._scene.visitor

    @property
    def _options(self) -> dict[str, list[Json]]:
        """What is registered of each command's options."""
        registered = self._scene.app.commands["fleet"]["options"]
        return {one["name"]: one.get("options", []) for one in registered}

    async def offered(self) -> list[str]:
        return list(self._options)

    async def completed(self, command: str, option: str) -> set[Any]:
        (registered,) = (one for one in self._options[command] if one["name"] == option)
        if not registered.get("autocomplete"):
            return set()
        scene = self._scene
        asked = await scene.discord.typing(
            scene.app, scene.visitor, command, option, **{option: ""}
        )
        await scene.discord.until(lambda: asked.answer)
        return {one["value"] for one in asked.choices}


class SlashInDiscord(_OnDiscord):
    """Picked from Discord's menu, with options that are typed each for itself."""

    @staticmethod
    def takes(use: Use) -> bool:
        """Discord sends what it knows, and nothing without what is required."""
        known = use.words == use.audit and not isinstance(use.request, Unreadable)
        return known and use.words not in ("deploy", "run", "rollback", "resume")

    async def ask(self, use: Use, *, operator: bool) -> Callable[[], str]:
        name, *words = (word for word in use.words.split() if word != "for")
        options = [one["name"] for one in self._options[name]]
        given: dict[str, Any] = {
            option: int(word) if word.isdecimal() else word
            for option, word in zip(options, words, strict=False)
        }
        scene = self._scene
        asked = await scene.discord.command(scene.app, self._person(operator), name, **given)
        return _text(await scene.replied(asked))


class MentionInDiscord(_OnDiscord):
    """A message in Discord that begins by mentioning the bot."""

    @staticmethod
    def takes(use: Use) -> bool:
        return True

    async def ask(self, use: Use, *, operator: bool) -> Callable[[], str]:
        asked = await said(self._scene, self._person(operator), f"/fleet {use.words}")
        return _text(await answer(self._scene, asked))


def _text(message: Message) -> Callable[[], str]:
    return lambda: message.text


class TypedInTelegram:
    """A message in the fleet's group in Telegram."""

    operator = f"telegram:{OPERATOR}"
    completes: Mapping[OptionKind, set[Any]] = MappingProxyType({})

    def __init__(self, scene: TelegramScene) -> None:
        self._scene = scene
        self.api: Api = scene.api
        self.until = scene.until

    def _person(self, operator: bool) -> Json:
        return self._scene.operator if operator else self._scene.visitor

    @staticmethod
    def takes(use: Use) -> bool:
        return True

    async def ask(self, use: Use, *, operator: bool) -> Callable[[], str]:
        reply = await self._said(use.words, operator)
        return lambda: str(reply["text"])

    async def _said(self, words: str, operator: bool) -> Json:
        asked = await self._scene.say(f"/fleet@fleet_bot {words}", self._person(operator))
        return await self._scene.reply_to(asked)

    async def offered(self) -> list[str]:
        """As the chat's menu tells them, each with what follows it."""
        scope = {"type": "chat", "chat_id": FLEET, "language_code": ""}
        menus, key = self._scene.telegram.methods.menus, json.dumps(scope, sort_keys=True)
        await self.until(lambda: key in menus)
        (fleet,) = menus[key]
        assert fleet["command"] == "fleet"
        assert fleet["description"].split("; ") == [command.syntax for command in COMMANDS]
        return [one.split()[0] for one in fleet["description"].split("; ")]

    async def completed(self, command: str, option: str) -> set[Any]:
        return set()  # Telegram completes nothing that is typed; its buttons do


class PressedInTelegram(TypedInTelegram):
    """A button below Telegram's help, and those that follow it."""

    completes: Mapping[OptionKind, set[Any]] = EVERYTHING

    @staticmethod
    def takes(use: Use) -> bool:
        return use.words in PRESSED and use.words != "help"

    async def ask(self, use: Use, *, operator: bool) -> Callable[[], str]:
        menu = await self._said("help", operator)
        (label,) = (one for one in labels(menu) if one.lower().split()[0] == use.words)
        query = await self._scene.press(menu, label, self._person(operator))
        answers = self._scene.telegram.methods.answers
        return lambda: f"{menu['text']} {answers.get(query, [''])[0]}"

    async def offered(self) -> list[str]:
        return [one.lower().split()[0] for one in labels(await self._said("help", operator=False))]

    async def completed(self, command: str, option: str) -> set[Any]:
        if command not in ("deploy", "rollback"):
            return set()
        menu = await self._said(command, operator=True)
        if option == "image_or_commit":
            await self._scene.press(menu, "claw-2")
            await self.until(lambda: "With which image" in menu["text"])
        offered = {one.split(" · ")[0] for one in labels(menu)}
        return offered - {"the newest", "◀ Back"}


class TypedInTerminal:
    """A line at the demo's prompt."""

    operator = "terminal:operator"
    completes: Mapping[OptionKind, set[Any]] = MappingProxyType({OptionKind.TARGET: TARGETS})

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.api = talk.api

    @staticmethod
    def takes(use: Use) -> bool:
        return True

    async def ask(self, use: Use, *, operator: bool) -> Callable[[], str]:
        shown = await self._talk.say(f"{'' if operator else 'stranger: '}/fleet {use.words}")
        return lambda: shown.partition("\n")[2]

    async def until(self, holds: Holds) -> None:
        assert holds()  # a line is heard until its reply is settled

    async def offered(self) -> list[str]:
        return [one.strip() for one in self._tab("/fleet ")]

    async def completed(self, command: str, option: str) -> set[Any]:
        (options,) = (one.options for one in COMMANDS if one.name == command)
        before = [one.name for one in options].index(option)
        return {one.strip() for one in self._tab(f"/fleet {command} {'all ' * before}")}

    def _tab(self, typed: str) -> list[str]:
        completer = CommandCompleter(lambda: ("claw-1", "claw-2"))
        asked = CompleteEvent(completion_requested=True)
        return [one.text for one in completer.get_completions(Document(typed), asked)]


FRONTS: dict[
    str,
    type[SlashInDiscord | MentionInDiscord | TypedInTelegram | PressedInTelegram | TypedInTerminal],
] = {
    "slash": SlashInDiscord,
    "mention": MentionInDiscord,
    "message": TypedInTelegram,
    "button": PressedInTelegram,
    "terminal": TypedInTerminal,
}


@asynccontextmanager
async def _front(name: str, ec2: FakeEc2) -> AsyncIterator[CommandFront]:
    """A bot beside claw-1 and claw-2, both well, where one can ask."""
    clock, kind = TurnedClock(), FRONTS[name]
    ec2.forget()
    if kind is TypedInTerminal:
        async with talk_with(clock, ec2) as talk:
            talk.api.registry = registry("claw-1", "claw-2")
            _past(talk.api)
            talk.fleet(Claw("claw-1"), Claw("claw-2"))
            yield TypedInTerminal(talk)
    elif issubclass(kind, _OnDiscord):
        async with DiscordScene(clock, ec2) as in_discord:
            _past(in_discord.api)
            await in_discord.start()
            yield kind(in_discord)
    elif issubclass(kind, TypedInTelegram):
        async with TelegramScene(clock, ec2) as in_telegram:
            _past(in_telegram.api)
            await in_telegram.start()
            yield kind(in_telegram)


def _past(api: Api) -> None:
    """A roll that stopped after claw-2, a deploy after it, and a lock on the state."""
    hosts = Moved("claw-2"), Moved("claw-1", how=None)
    api.runs += [roll(6, *hosts, conclusion="cancelled", request_id=""), RUN]
    api.lock = lock()


def _plain(text: str) -> str:
    for mark in "`*\\":
        text = text.replace(mark, "")
    return text.casefold()


def test_every_command_and_every_option_is_used_here() -> None:
    requests = [use.request for use in USES]
    for command in COMMANDS:
        made = [one for one in requests if type(one) is command.request]
        assert command.request() in made
        for option in command.options:
            unused = getattr(command.request(), option.name)
            assert any(getattr(one, option.name) != unused for one in made), option.name
        assert any(FRONTS[name].takes(Use(command.name, "", "")) for name in FRONTS)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        pytest.param(name, use, id=f"{name}: {use.words}")
        for name, front in FRONTS.items()
        for use in USES
        if front.takes(use)
    ],
)
async def test_a_command_is_answered_for_whom_it_is_and_noted(
    name: str, use: Use, ec2: FakeEc2, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with _front(name, ec2) as front:
        told = await front.ask(use, operator=False)
        refused = "only operators may " if use.for_operators else use.reply
        await front.until(lambda: refused in _plain(told()))
        assert front.api.count("deploy") == 0
        told = await front.ask(use, operator=True)
        await front.until(lambda: use.reply in _plain(told()))
        await front.until(lambda: front.api.count("deploy") == (use.sent is not None))
        sent = [one for one in front.api.asked if one["action"] == "deploy"]
    (by_visitor, by_operator) = (line for line in audit(caplog) if line.what == use.audit)
    assert (by_operator.account, by_operator.caller) == (front.operator, "operator")
    assert (by_visitor.account == front.operator, by_visitor.caller) == (False, "person")
    assert [(one["target"], one["ami_override"], one["revision"]) for one in sent] == (
        [use.sent] if use.sent else []
    )


@pytest.mark.parametrize("name", FRONTS)
async def test_every_command_is_offered_and_what_can_be_named_is(name: str, ec2: FakeEc2) -> None:
    async with _front(name, ec2) as front:
        # The help itself has no button below it.
        names = [one for one in PRESSED if one != "help"] if name == "button" else NAMES
        assert await front.offered() == names
        for command in COMMANDS:
            for option in command.options:
                found = await front.completed(command.name, option.name)
                # A message has buttons for what is missing of a deploy or a rollback.
                has_some = name != "button" or command.name in ("deploy", "rollback")
                some = front.completes.get(option.kind, set()) if has_some else set()
                assert found == some, option.name


async def test_discord_has_each_command_s_help_and_its_options_types(ec2: FakeEc2) -> None:
    async with DiscordScene(TurnedClock(), ec2) as scene:
        await scene.start()
        registered = {one["name"]: one for one in scene.app.commands["fleet"]["options"]}
    status, deploy, help_ = registered["status"], registered["deploy"], registered["help"]
    page = {"name": "page", "description": "Another page, where there are more", "type": 4}
    assert status["description"] == "Every instance, its host, and what is wrong"
    assert status["options"] == [page]
    assert deploy["description"] == "Replace one host by its id, or all, with the newest image"
    assert deploy["options"] == [
        {
            "name": "target",
            "description": "An instance's id, or all",
            "type": 3,
            "required": True,
            "autocomplete": True,
        },
        {
            "name": "image_or_commit",
            "description": "As that image or commit instead of the newest",
            "type": 3,
            "autocomplete": True,
        },
    ]
    assert (help_["description"], help_.get("options")) == ("What can be asked", None)


def test_the_help_says_what_each_command_does_and_with_which_words() -> None:
    assert {
        "`/fleet status`: every instance, its host, and what is wrong",
        "`/fleet status <page>`: another page, where there are more",
        "`/fleet deploy <target>`: replace one host by its id, or `all`, with the newest image",
        "`/fleet deploy <target> <image or commit>`: as that image or commit instead of the newest",
        "`/fleet help`: what can be asked",
    } <= {*HELP.lines}


# What an agent is answered in its shell, by the same fleet and the same ledger.
IN_SHELL = {
    "status": "healthy",
    "history": "deploy claw-1  done",
    "history claw-2": "none of the last deploys concerns claw-2.",
    "run 7": "asked for by discord:9 sam",
    "run 8": "there is no deploy with the run id 8.",
    "preflight": "control api",
}
FOR_PEOPLE = {one.name for one in COMMANDS if one.who is Who.OPERATORS} - {"deploy"}


@asynccontextmanager
async def _shell(
    ec2: FakeEc2, folder: Path, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[tuple[OnHost, Api]]:
    async with _front("terminal", ec2) as front:
        environ = {
            "FLEET_CONTROL_ROOT": str(folder),
            "FLEET_CONTROL_INSTANCE": "claw-1",
            "FLEET_CONTROL_API_URL": front.api.url,
            "FLEET_CONTROL_REGION": REGION,
            "FLEET_CONTROL_TOKEN": TOKEN,
            "FLEET_CONTROL_AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "FLEET_CONTROL_AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "FLEET_CONTROL_EC2_URL": ec2.url,
        }
        yield OnHost(environ, capsys), front.api


@pytest.mark.parametrize("words", IN_SHELL)
async def test_what_an_agent_may_ask_is_answered_in_its_shell(
    words: str, ec2: FakeEc2, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _shell(ec2, tmp_path, capsys) as (host, _):
        ended = await host.types(*words.split())
    assert IN_SHELL[words] in _plain(f"{ended.out}{ended.err}")


async def test_what_is_for_people_alone_is_no_command_of_an_agent_s_shell(
    ec2: FakeEc2, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _shell(ec2, tmp_path, capsys) as (host, api):
        ends = {name: (await host.types(name, "claw-2")).code for name in FOR_PEOPLE}
    assert ends == dict.fromkeys(FOR_PEOPLE, ExitCode.USAGE)
    assert api.asked == []
