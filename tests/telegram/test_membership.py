"""A chat of the fleet's in which the bot can't speak is said, and when it can again."""

import pytest

from sandbox.telegram_api.people import RESTRICTED
from tests.telegram.scene import FLEET, TelegramScene

PUT_OUT = (
    f"STATUS=Telegram: I am not in the chat {FLEET}: add me to it, "
    "or take it out of CLAWBOT_TELEGRAM_CHATS."
)
SILENCED = f"STATUS=Telegram: I may not write in the chat {FLEET}: allow it there."


@pytest.mark.parametrize(
    ("status", "more", "words"),
    [
        ("kicked", {"until_date": 0}, PUT_OUT),
        ("left", {}, PUT_OUT),
        ("restricted", RESTRICTED, SILENCED),
        ("restricted", RESTRICTED | {"is_member": False}, PUT_OUT),
    ],
)
async def test_being_put_out_or_silenced_is_said_and_being_taken_back_too(
    scene: TelegramScene, status: str, more: dict[str, object], words: str
) -> None:
    await scene.start()
    await scene.until(lambda: scene.told == ["READY=1"])
    looks = len(scene.telegram.called("getChatMember"))
    await scene.people.change_bot(scene.fleet, status, **more)
    await scene.until(lambda: scene.told[1:] == [words], each=0.1)
    await scene.reply_to(await scene.say("/fleet help", date=int(scene.clock.now())))
    assert scene.told[1:] == [words]
    await scene.people.change_bot(scene.fleet, "member")
    await scene.until(lambda: scene.told[2:] == ["STATUS="], each=0.1)
    assert len(scene.telegram.called("getChatMember")) == looks


async def test_what_was_so_before_it_began_is_said_and_the_other_chats_are_served(
    scene: TelegramScene,
) -> None:
    scene.telegram.history.standing[FLEET] = {
        "status": "kicked",
        "user": scene.telegram.history.bot,
        "until_date": 0,
    }
    await scene.start()
    await scene.until(lambda: len(scene.told) == 2)
    assert sorted(scene.told) == ["READY=1", PUT_OUT]
    await scene.reply_to(await scene.say("/fleet help", date=int(scene.clock.now())))
    assert len(scene.told) == 2


async def test_what_a_group_takes_from_all_is_noticed_within_five_minutes(
    scene: TelegramScene,
) -> None:
    """Telegram tells nothing of it."""
    await scene.start()
    await scene.until(lambda: scene.told == ["READY=1"])
    await scene.until(lambda: scene.telegram.called("getChat"), each=0.0)
    await scene.reply_to(await scene.say("/fleet help", date=int(scene.clock.now())))
    scene.people.mute(scene.fleet)
    begun = scene.clock.now()
    await scene.until(lambda: scene.told[1:] == [SILENCED])
    assert 290 <= scene.clock.now() - begun <= 301
    scene.people.mute(scene.fleet, speak=True)
    await scene.until(lambda: scene.told[2:] == ["STATUS="])
