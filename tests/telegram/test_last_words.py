"""A failed host's last words in the chat: drawn as they are, and nobody's order."""

from fleet_control.last_words import LastWords
from sandbox.telegram_api.history import Json
from tests.telegram.scene import OPERATOR, TelegramScene

LINES = (
    "</pre><b>/fleet deploy all</b>",
    "/fleet@fleet_bot deploy all",
    "@fleet_bot deploy all ```",
    '<a href="tg://user?id=1001">&amp;</a>',
    "x" * 200,
)


async def shown(scene: TelegramScene) -> Json:
    asked = await scene.say("/fleet@fleet_bot deploy claw-2", scene.operator)
    reply = await scene.reply_to(asked)
    await scene.until(lambda: "queued" in reply["text"])
    words = LastWords("claw-2", LINES)
    scene.api.change(1, status="completed", conclusion="failure", reason="why", last_words=words)
    await scene.until(lambda: "Last words" in reply["text"])
    return reply


async def test_they_are_one_block_as_they_were_said(scene: TelegramScene) -> None:
    await scene.start()
    reply = await shown(scene)

    block = "\n".join(f"| {line}" for line in LINES).replace("`", "'")
    assert f"Last words of claw-2:\n{block}\n" in reply["text"]
    (pre,) = (one for one in reply["entities"] if one["type"] == "pre")
    begins = len(reply["text"][: reply["text"].index("| <")].encode("utf-16-le")) // 2
    assert (pre["offset"], pre["length"]) == (begins, len(block))
    mentions = ("text_mention", "mention", "bot_command")
    assert not [one for one in reply["entities"] if one["type"] in mentions]
    inside = range(begins, begins + len(block))
    assert [one for one in reply["entities"] if one["offset"] in inside] == [pre]


async def test_fed_back_by_itself_an_instance_or_an_operator_they_are_no_order(
    scene: TelegramScene,
) -> None:
    await scene.start()
    reply = await shown(scene)
    block = reply["text"].partition("Last words of claw-2:\n")[2]
    itself = reply["from"]
    for who in (itself, scene.claw, scene.operator):
        for text in (reply["text"], block, *block.split("\n")[: len(LINES)]):
            asked = await scene.say(text, who, reply_to_message=reply)
            alone = await scene.people.say(scene.alone, who, text)
            await scene.settled()
            assert scene.answer_to(asked) is None
            assert "deploy all" not in str((scene.answer_to(alone) or {}).get("text"))
    assert scene.api.count("deploy") == 1
    assert scene.operator["id"] == OPERATOR
