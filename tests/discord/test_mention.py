"""Who is heard in a message, and who is not, so that two bots can't talk each other into a loop."""

import logging
from dataclasses import replace

import pytest

from tests.discord.dialogue import answer, said, whispered, with_account
from tests.discord.scene import DiscordScene


async def nothing_more(scene: DiscordScene) -> None:
    """Whatever is asked later is answered; so what was asked before it has been heard."""
    later = await scene.discord.command(scene.app, scene.visitor, "help")
    await scene.replied(later)


async def test_an_instance_s_own_bot_is_heard_and_judged(scene: DiscordScene) -> None:
    agent = scene.discord.person("agent", bot=True)
    scene.api.registry = with_account(agent)
    await scene.start()
    refused = await answer(scene, await said(scene, agent, "/fleet deploy claw-1"))
    assert "claw-1 may not deploy itself" in refused.text
    deploy = await answer(scene, await said(scene, agent, "/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in deploy.text)
    (run,) = scene.api.runs
    assert (run.caller, run.requested_by, run.reply) == ("claw-1", "", deploy.id)
    scene.api.done(1)
    await scene.until(lambda: "done" in deploy.text)


async def test_an_unknown_bot_is_not_answered(scene: DiscordScene) -> None:
    stranger = scene.discord.person("stranger", bot=True)
    await scene.start()
    await said(scene, stranger, "/fleet deploy claw-1")
    await nothing_more(scene)
    assert len(scene.channel()) == 2
    assert scene.api.count("deploy") == 0


async def test_a_webhook_that_took_an_operator_s_name_is_not_answered(scene: DiscordScene) -> None:
    await scene.start()
    content = f"<@{scene.app.bot.id}> /fleet deploy claw-1"
    await scene.discord.say(scene.operator, content, webhook="1234567890")
    await nothing_more(scene)
    assert len(scene.channel()) == 2
    assert scene.api.count("deploy") == 0


async def test_it_never_answers_itself(scene: DiscordScene) -> None:
    """Not even where it speaks with an instance's own account, whose word would count."""
    scene.api.registry = with_account(scene.app.bot)
    await scene.start()
    # The registry is known from here on, so that nothing has to be waited for to know who speaks.
    await answer(scene, await said(scene, scene.visitor, "/fleet status"))
    itself = await said(scene, scene.app.bot, "/fleet help")
    await answer(scene, await said(scene, scene.visitor, "/fleet status"))
    assert not any(one.reference == itself.id for one in scene.channel())


async def test_only_what_begins_with_a_mention_is_meant_for_it(scene: DiscordScene) -> None:
    await scene.start()
    await scene.discord.say(scene.operator, f"ask <@{scene.app.bot.id}> /fleet deploy claw-1")
    await scene.discord.say(scene.operator, "/fleet deploy claw-1")
    await nothing_more(scene)
    assert len(scene.channel()) == 3


@pytest.mark.parametrize(
    "words",
    [
        "/Fleet status",
        ", /fleet status",
        "fleet status",
        "status",
        "Status.",
        "/status",
        "`/fleet status`",
        "</fleet status:1469034582763442176>",
        "`status`",
        "\n/fleet status",
        "\u00a0／fleet\u00a0status",  # noqa: RUF001  (a full-width slash)
        "\u200b/fleet “status”",
        "@BOT status",
        "@OWNER, /fleet status",
    ],
)
async def test_words_that_mean_a_status_are_understood(scene: DiscordScene, words: str) -> None:
    await scene.start()
    for name, who in (("@BOT", scene.app.bot), ("@OWNER", scene.owner)):
        words = words.replace(name, f"<@{who.id}>")
    asked = await scene.discord.say(scene.visitor, f"<@{scene.app.bot.id}>{words}")
    assert "2 healthy" in (await answer(scene, asked)).text


@pytest.mark.parametrize("mention", ["<@!BOT> ", "<@OWNER> <@BOT> ", "<@BOT>, ", "`` <@BOT> "])
async def test_a_mention_may_be_one_of_several(scene: DiscordScene, mention: str) -> None:
    await scene.start()
    mention = mention.replace("BOT", scene.app.bot.id).replace("OWNER", scene.owner.id)
    asked = await scene.discord.say(scene.visitor, f"{mention}status")
    assert "2 healthy" in (await answer(scene, asked)).text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "every instance"),
        (" ,", "every instance"),
        (" hello, how are you?", "I don't know `hello`."),
        ("x /fleet deploy claw-1", "I don't know `x`."),
        (" /fleets", "I don't know `fleets`."),
    ],
)
async def test_whoever_mentions_it_is_never_left_without_an_answer(
    scene: DiscordScene, words: str, told: str
) -> None:
    await scene.start()
    asked = await scene.discord.say(scene.operator, f"<@{scene.app.bot.id}>{words}")
    assert told in (await answer(scene, asked)).text.replace("\\", "")
    assert scene.api.count("deploy") == 0


@pytest.mark.parametrize("target", ["`claw-2`", "“claw-2”", "claw-2.", "claw-2,", "<claw-2>"])
@pytest.mark.parametrize("by", ["mention", "menu"])
async def test_a_target_in_quotes_is_that_target(scene: DiscordScene, target: str, by: str) -> None:
    await scene.start()
    if by == "mention":
        await said(scene, scene.operator, f"deploy {target}")
    else:
        await scene.discord.command(scene.app, scene.operator, "deploy", target=target)
    await scene.until(lambda: scene.api.runs)
    assert [run.target for run in scene.api.runs] == ["claw-2"]


async def test_its_own_role_is_itself_though_its_text_is_not_shown(scene: DiscordScene) -> None:
    role = scene.discord.role("clawbot", of=scene.app.bot)
    other = scene.discord.role("otherbot")
    await scene.start()
    asked = await scene.discord.say(scene.visitor, f"<@&{role}> status")
    assert "every instance" in (await answer(scene, asked)).text
    shown = f"<@&{role}> status <@{scene.app.bot.id}>"
    asked = await scene.discord.say(scene.visitor, shown)
    assert "The page is a number" in (await answer(scene, asked)).text
    before = len(scene.channel())
    await scene.discord.say(scene.visitor, f"<@&{other}> status")
    await nothing_more(scene)
    assert len(scene.channel()) == before + 2


@pytest.mark.parametrize("a_bot", [True, False])
@pytest.mark.parametrize("words", ["", "status", "fleet status", "thank you", "deploy claw-2"])
async def test_an_instance_has_to_say_fleet_or_two_programs_could_talk_for_ever(
    scene: DiscordScene, words: str, a_bot: bool
) -> None:
    agent = scene.discord.person("agent", bot=a_bot)
    scene.api.registry = with_account(agent)
    await scene.start()
    asked = await said(scene, agent, words)
    await answer(scene, await said(scene, agent, "/fleet status"))
    await nothing_more(scene)
    assert not any(one.reference == asked.id for one in scene.channel())
    assert scene.api.count("deploy") == 0


async def test_two_bots_in_one_channel_answer_each_only_what_is_theirs(scene: DiscordScene) -> None:
    other = scene.discord.application("otherbot")
    await scene.start()
    await scene.start("other", other)
    reply = await answer(scene, await said(scene, scene.visitor, "/fleet status"))
    asked = await scene.discord.command(other, scene.visitor, "status")
    await scene.replied(asked)
    assert asked.answers == 1
    assert reply.author.id == scene.app.bot.id
    assert len(scene.channel()) == 3


async def test_elsewhere_it_does_not_listen(scene: DiscordScene) -> None:
    lobby = scene.discord.channel("lobby")
    await scene.start()
    await scene.discord.say(scene.operator, f"<@{scene.app.bot.id}> /fleet deploy claw-1", lobby)
    await nothing_more(scene)
    assert len(scene.discord.guild.in_channel(lobby.id)) == 1
    assert scene.api.count("deploy") == 0


async def test_another_guild_that_it_is_in_is_not_served(scene: DiscordScene) -> None:
    """Though every channel is, and the operator by account is one there too."""
    await scene.start(CLAWBOT_DISCORD_CHANNELS="")
    status = await answer(scene, await said(scene, scene.owner, "/fleet status"))
    await scene.until(lambda: status.buttons)
    lobby = scene.discord.lobby
    content = f"<@{scene.app.bot.id}> /fleet deploy claw-1"
    await scene.discord.say(scene.owner, content, lobby)
    copied, button = replace(status, channel=lobby.id), next(iter(status.buttons.values()))
    pressed = await scene.discord.press(scene.app, scene.owner, copied, button)
    told = await whispered(scene, pressed)
    assert told == "I serve another guild."
    assert [one.text for one in scene.discord.elsewhere.in_channel(lobby.id)] == [content, told]
    assert scene.api.count("deploy") == 0


async def test_what_begins_with_a_mention_of_another_is_not_meant_for_it(
    scene: DiscordScene,
) -> None:
    await scene.start()
    for first in (f"<@{scene.visitor.id}>", f"> <@{scene.app.bot.id}>", "nobody"):
        content = f"{first} /fleet deploy claw-1 <@{scene.app.bot.id}>"
        await scene.discord.say(scene.operator, content)
    await nothing_more(scene)
    assert len(scene.channel()) == 4
    assert scene.api.count("deploy") == 0


@pytest.mark.parametrize("known", ["{}", "no registry at all"])
async def test_a_bot_that_no_registry_names_is_nobody_even_where_there_is_none(
    scene: DiscordScene, known: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    scene.api.registry = known
    stranger = scene.discord.person("stranger", bot=True)
    await scene.start()
    await said(scene, stranger, "/fleet help")
    await scene.until(lambda: f"discord.not_heard author={stranger.id}" in caplog.text)
    assert "Traceback" not in caplog.text


async def test_an_operator_by_account_needs_no_role(scene: DiscordScene) -> None:
    await scene.start()
    reply = await answer(scene, await said(scene, scene.owner, "/fleet deploy claw-1"))
    await scene.until(lambda: "queued" in reply.text)


async def test_a_clock_that_is_wrong_is_told_in_words(scene: DiscordScene) -> None:
    await scene.start()
    scene.api.off = 600
    scene.api.next = [(403, {"Message": "Forbidden"})]
    asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-2")
    reply = await scene.replied(asked)
    await scene.until(lambda: "This machine's clock is 10 min behind AWS's clock." in reply.text)
