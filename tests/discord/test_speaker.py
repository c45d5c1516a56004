"""Who speaks in Discord: an account that the registry gives to an instance is that instance."""

import logging
from collections.abc import Awaitable, Callable

import pytest

from sandbox.discord_api.guild import Member, Message
from tests.audit_line import audit
from tests.discord.dialogue import answer, deploying, question, said, whispered, with_account
from tests.discord.scene import DiscordScene

ITSELF, ALL = "claw-1 may not deploy itself", "claw-1 may not deploy all"
Ways = Callable[[DiscordScene, Member, str], Awaitable[Message]]
UNSEEN = "I have not seen the registry yet"


async def by_menu(scene: DiscordScene, who: Member, target: str) -> Message:
    asked = await scene.discord.command(scene.app, who, "deploy", target=target)
    return await scene.replied(asked)


async def by_mention(scene: DiscordScene, who: Member, target: str) -> Message:
    return await answer(scene, await said(scene, who, f"/fleet deploy {target}"))


@pytest.mark.parametrize("ways", [by_menu, by_mention])
@pytest.mark.parametrize("listed", ["by a role", "by account"])
async def test_a_person_s_account_of_the_registry_is_its_instance_and_no_operator(
    scene: DiscordScene, ways: Ways, listed: str
) -> None:
    """Nobody has asked for the registry before."""
    who = scene.operator if listed == "by a role" else scene.owner
    scene.api.registry = with_account(who)
    await scene.start()
    assert ITSELF in (await ways(scene, who, "claw-1")).text
    assert ALL in (await ways(scene, who, "all")).text.replace("`", "")
    assert scene.api.count("deploy") == 0


async def test_what_it_deploys_it_deploys_as_that_instance(scene: DiscordScene) -> None:
    scene.api.registry = with_account(scene.visitor)
    await scene.start()
    await by_menu(scene, scene.visitor, "claw-2")
    await scene.until(lambda: scene.api.runs)
    (run,) = scene.api.runs
    assert (run.caller, run.requested_by) == ("claw-1", "")


@pytest.mark.parametrize(
    ("ways", "age", "instance"), [(by_menu, 4, False), (by_menu, 5, True), (by_mention, 5, True)]
)
async def test_an_operator_s_account_of_a_merge_just_now_is_its_instance(
    scene: DiscordScene, ways: Ways, age: float, instance: bool
) -> None:
    await scene.start()
    await scene.replied(await scene.discord.command(scene.app, scene.visitor, "help"))
    scene.api.registry = with_account(scene.operator)
    await scene.clock.turn(age)
    reply = await ways(scene, scene.operator, "claw-1")
    assert (ITSELF in reply.text) == instance


async def test_a_program_s_account_of_a_merge_just_now_is_its_instance(scene: DiscordScene) -> None:
    agent = scene.discord.person("agent", bot=True)
    await scene.start()
    await scene.replied(await scene.discord.command(scene.app, scene.visitor, "help"))
    scene.api.registry = with_account(agent)
    await scene.clock.turn(5)
    assert "2 healthy" in (await answer(scene, await said(scene, agent, "/fleet status"))).text


@pytest.mark.parametrize(("age", "reads"), [(59, 1), (60, 2)])
async def test_what_changes_no_host_goes_by_a_registry_of_the_last_minute(
    scene: DiscordScene, age: float, reads: int
) -> None:
    await scene.start()
    await scene.replied(await scene.discord.command(scene.app, scene.visitor, "help"))
    before = scene.api.count("registry")
    await scene.clock.turn(age)
    await scene.replied(await scene.discord.command(scene.app, scene.operator, "help"))
    assert scene.api.count("registry") - before == reads - 1


async def test_a_yes_is_whose_the_account_is_by_then(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await question(scene)
    scene.api.registry = with_account(scene.operator)
    await scene.clock.turn(5)
    await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Deploy"])
    await scene.until(lambda: ALL in reply.text.replace("`", ""))
    assert scene.api.count("deploy") == 0


async def test_a_cancel_is_whose_the_account_is_by_then(scene: DiscordScene) -> None:
    await scene.start()
    _, reply = await deploying(scene)
    scene.api.registry = with_account(scene.operator)
    await scene.clock.turn(5)
    pressed = await scene.discord.press(scene.app, scene.operator, reply, reply.buttons["Cancel"])
    assert "Only operators may cancel" in await whispered(scene, pressed)
    assert scene.api.count("cancel") == 0


async def test_before_any_registry_was_seen_no_operator_is_believed(
    scene: DiscordScene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await scene.start()
    _, asked = await question(scene)
    _, begun = await deploying(scene)
    await scene.stop()
    readable, scene.api.registry = scene.api.registry, "not JSON"
    await scene.start()
    assert UNSEEN in (await by_menu(scene, scene.operator, "claw-2")).text
    assert UNSEEN in (await by_mention(scene, scene.owner, "claw-2")).text
    for reply, label in ((asked, "Deploy"), (begun, "Cancel")):
        id_ = reply.buttons[label]
        pressed = await scene.discord.press(scene.app, scene.operator, reply, id_)
        assert UNSEEN in await whispered(scene, pressed)
    help_ = await answer(scene, await said(scene, scene.operator, "/fleet help"))
    assert "every instance" in help_.text
    assert (scene.api.count("deploy"), scene.api.count("cancel")) == (1, 0)
    assert [line.what for line in audit(caplog)][2:] == [
        "deploy claw-2",
        "deploy claw-2",
        "yes to deploy all",
        "cancel run 1",
        "help",
    ]
    scene.api.registry = readable
    await scene.discord.press(scene.app, scene.operator, asked, asked.buttons["Deploy"])
    await scene.until(lambda: scene.api.count("deploy") == 2)


async def test_a_read_that_hangs_keeps_nobody_waiting_for_ever(scene: DiscordScene) -> None:
    """Discord itself is answered before it is asked for."""
    scene.api.registry = "not JSON"
    await scene.start()
    scene.api.released.clear()
    known = scene.api.count("registry")
    helps = await scene.discord.command(scene.app, scene.visitor, "help")
    await scene.discord.until(lambda: helps.answer == 5)
    await scene.api.until("registry", known + 1)
    await scene.clock.turn(4.9)
    assert helps.message is not None
    assert helps.message.loading
    await scene.clock.turn(0.2)
    assert "every instance" in (await scene.replied(helps)).text
    deploys = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    await scene.until(lambda: deploys.message and UNSEEN in deploys.message.text)
    assert scene.api.count("deploy") == 0
