"""Our handlers in an application that was there already, polled by the library itself."""

from telegram import Update
from telegram.ext import ApplicationBuilder, CommandHandler, MessageHandler, filters

from clawbot.bot import assemble
from clawbot.settings import load
from clawbot.telegram import Front, handlers
from tests.telegram.scene import SOON, TOKEN, Scene


async def test_an_application_that_exists_gets_fleet_and_keeps_its_own(scene: Scene) -> None:
    heard: list[str] = []

    async def hear(update: Update, _context: object) -> None:
        heard.append(str(update.effective_message and update.effective_message.text))

    application = (
        ApplicationBuilder()
        .token(TOKEN)
        .base_url(f"{scene.telegram.url}/bot")
        .job_queue(None)
        .build()
    )
    async with assemble(load(scene.environ("demo")), scene.clock) as bot, application:
        front = Front(bot, application.bot, SOON)
        application.add_handlers(handlers(front))
        application.add_handlers([CommandHandler("start", hear), MessageHandler(filters.ALL, hear)])
        assert application.updater is not None
        await application.updater.start_polling(timeout=5)
        await application.start()
        await scene.say("/start")
        asked = await scene.say("/fleet status")
        edited = scene.people.write(scene.alone, scene.operator, "/fleet deploy claw-1")
        scene.telegram.updates.allowed = None
        await scene.people.edit(edited, "/fleet deploy claw-2")
        await scene.say("thanks")
        await scene.until(lambda: scene.answer_to(asked) and "thanks" in heard)
        await application.updater.stop()
        await application.stop()
        await front.close()
    assert heard == ["/start", "/fleet deploy claw-2", "thanks"]
    assert scene.api.count("deploy") == 0
