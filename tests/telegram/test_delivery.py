"""Updates: acted on at most once, in the order they came, whatever the network does."""

import asyncio
from itertools import pairwise

import pytest

from clawbot.bot import assemble
from clawbot.settings import load
from clawbot.telegram.run import run
from sandbox.telegram_api.history import Json, private, user
from tests.clawbot.control_api import job
from tests.clock import TurnedLoop
from tests.discord.dialogue import MOVES
from tests.idle import idle
from tests.recording_proxy import recording
from tests.telegram.scene import OPERATOR, TOKEN, TelegramScene


async def answered(scene: TelegramScene, asked: Json) -> None:
    await scene.until(lambda: scene.answer_to(asked))


async def test_a_successor_finishes_the_reply(scene: TelegramScene) -> None:
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in reply["text"])
    await scene.stop()
    scene.api.done(1)
    await scene.start()
    await scene.until(lambda: "done" in reply["text"])
    await scene.until(lambda: len(scene.telegram.history.shown(OPERATOR)) == 2)


async def test_a_reply_that_was_finished_already_calls_nobody_again(scene: TelegramScene) -> None:
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in reply["text"])
    scene.api.done(1)
    await scene.until(lambda: len(scene.telegram.history.shown(OPERATOR)) == 2)
    await scene.stop()
    edits = len(scene.telegram.called("editMessageText"))
    await scene.start()
    await scene.until(lambda: len(scene.telegram.called("editMessageText")) > edits)
    await scene.settled()
    assert len(scene.telegram.history.shown(OPERATOR)) == 3  # with the answer to the last ask


async def test_a_clean_stop_answers_what_was_heard_and_confirms_it(scene: TelegramScene) -> None:
    await scene.start()
    await scene.reply_to(await scene.say("/fleet status"))  # now a registry was seen
    scene.api.released.clear()
    asked = await scene.say("/fleet deploy claw-2")
    await scene.looked_for()
    stopping = asyncio.create_task(scene.stop())
    await asyncio.sleep(0)
    scene.api.released.set()
    await stopping
    assert scene.api.count("deploy") == 1
    assert "asking" in str(scene.answer_to(asked)) or "queued" in str(scene.answer_to(asked))
    assert scene.telegram.updates.waiting == []


async def test_a_stop_is_clean_whatever_telegram_says_to_it(scene: TelegramScene) -> None:
    task = await scene.start()
    await answered(scene, await scene.say("/fleet help"))
    await scene.until(lambda: scene.telegram.updates.polled)
    scene.telegram.weather.refuse("getUpdates", 200, "a proxy's own page")
    await scene.stop()
    assert task.cancelled()


async def test_an_update_delivered_twice_is_answered_once(scene: TelegramScene) -> None:
    await scene.start()
    asked = await scene.say("/fleet status")
    await scene.telegram.updates.put("message", asked)
    await scene.settled()
    assert len(scene.telegram.history.shown(OPERATOR)) == 2  # with the answer to the last ask


async def test_an_update_that_can_not_be_read_keeps_no_other_away(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    """The library would refuse the whole batch, and a fresh bot would ask for it for ever."""
    unreadable = {"message_id": 9, "date": "tomorrow", "chat": {"id": 1}, "text": "between us"}
    asked = []
    for _ in range(2):
        await scene.telegram.updates.put("message", unreadable)
        asked.append(await scene.say("/fleet status"))
    await scene.start()
    await scene.until(lambda: all(scene.answer_to(one) for one in asked))
    await scene.until(lambda: not scene.telegram.updates.waiting)
    for update in (100, 102):
        assert f"telegram.update_unreadable update_id={update} why=TypeError" in caplog.text
    assert "between us" not in caplog.text


async def test_where_nothing_can_be_read_the_next_update_still_is(scene: TelegramScene) -> None:
    await scene.telegram.updates.put("message", {"message_id": 9})
    await scene.start()
    await scene.until(lambda: not scene.telegram.updates.waiting)
    assert await scene.reply_to(await scene.say("/fleet status"))


RETRIES = 3


@pytest.mark.parametrize("trouble", ["502", "429", "hanging", "gone"])
async def test_polling_outlives_a_dead_network(
    scene: TelegramScene, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "clawbot.telegram.polling")
    # A poll that hangs is given up after their sum, by the clock on the wall.
    scene.poll_seconds, scene.answer_seconds = 1, 0.5
    await scene.start()
    weather = scene.telegram.weather
    if trouble == "502":
        weather.bad_gateway("getUpdates", times=RETRIES + 2)
    elif trouble == "429":
        weather.flood("getUpdates", retry_after=40, times=RETRIES)
    elif trouble == "hanging":
        weather.hang()
    else:
        await scene.telegram.stop()
    polls = len(scene.telegram.called("getUpdates"))
    if trouble == "429":
        await scene.until(lambda: len(scene.telegram.called("getUpdates")) > polls + RETRIES)
    else:
        await scene.until(lambda: f"telegram.poll_failed times={RETRIES}" in caplog.text)
    if trouble == "gone":
        await scene.telegram.start()
    weather.answer_again()
    asked = await scene.say("/fleet status", date=int(scene.clock.now()))
    await answered(scene, asked)


@pytest.mark.parametrize(("status", "said"), [(401, "Unauthorized"), (404, "Not Found")])
async def test_a_token_that_is_refused_for_a_moment_is_not_given_up(
    scene: TelegramScene, status: int, said: str
) -> None:
    task = await scene.start()
    scene.telegram.weather.refuse("getMe", status, said, times=1000)
    for _ in range(2):
        scene.telegram.weather.refuse("getUpdates", status, said, times=3)
        await answered(scene, await scene.say("/fleet help", date=int(scene.clock.now())))
        await scene.until(lambda: scene.telegram.updates.polled)
    assert not task.done()


async def test_a_token_that_get_me_still_knows_is_not_given_up(scene: TelegramScene) -> None:
    task = await scene.start()
    scene.telegram.weather.refuse("getUpdates", 401, "Unauthorized", times=6)
    asked = len(scene.telegram.called("getMe"))
    await scene.steal()
    await scene.until(lambda: len(scene.telegram.called("getMe")) == asked + 3)
    assert not task.done()
    await answered(scene, await scene.say("/fleet status", date=int(scene.clock.now())))


async def test_a_token_that_was_revoked_is_said_after_a_while_and_tried_ever_later(
    scene: TelegramScene,
) -> None:
    await scene.start()
    scene.telegram.weather.refuse("*", 401, "Unauthorized", times=1000)
    begun, polls = scene.clock.now(), len(scene.telegram.called("getUpdates"))
    await scene.steal()
    assert "Telegram does not know the token" in await complaint(scene)
    assert len(scene.telegram.called("getUpdates")) == polls + 4
    assert 45 <= scene.clock.now() - begun < 400
    scene.telegram.weather.clear()
    await is_mended(scene)


async def test_what_telegram_answers_may_be_nonsense_for_a_while(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    scene.telegram.weather.refuse("getUpdates", 200, "a proxy's own page", times=3)
    await scene.steal()
    await scene.until(lambda: "telegram.poll_failed times=1 why=KeyError" in caplog.text)
    asked = await scene.say("/fleet status", date=int(scene.clock.now()))
    await answered(scene, asked)


@pytest.mark.parametrize("answer", ["nothing", "the same again", "ask again a second ago"])
async def test_a_poll_that_brings_nothing_new_at_once_is_not_repeated_at_once(
    scene: TelegramScene, answer: str
) -> None:
    """As from a proxy that keeps an answer."""
    weather = scene.telegram.weather
    if answer == "ask again a second ago":
        weather.flood("getUpdates", retry_after=-1, times=30)
    else:
        weather.instead["getUpdates"] = [] if answer == "nothing" else [{"update_id": 7}]
    scene.run()
    await scene.until(lambda: scene.telegram.called("getUpdates"))
    polls, moment = len(scene.telegram.called("getUpdates")), scene.clock.now()
    for _ in range(200):
        await scene.clock.turn(0.1)
        await idle()
    more, passed = len(scene.telegram.called("getUpdates")) - polls, scene.clock.now() - moment
    assert passed / 2 < more <= passed + 1
    weather.instead.clear()
    await answered(scene, await scene.say("/fleet help", date=int(scene.clock.now())))


async def test_a_reply_is_said_once_the_network_is_back(scene: TelegramScene) -> None:
    await scene.start()
    scene.telegram.weather.bad_gateway("sendMessage", times=3)
    scene.telegram.weather.refuse("sendMessage", 401, "Unauthorized")
    scene.telegram.weather.flood("sendMessage", retry_after=7)
    asked = await scene.say("/fleet status")
    await answered(scene, asked)
    assert "2 instances" in str(scene.answer_to(asked))
    assert len(scene.telegram.called("sendMessage")) == 6


async def test_flood_control_is_obeyed_to_the_second(scene: TelegramScene) -> None:
    await scene.start()
    scene.telegram.weather.flood("sendMessage", retry_after=30)
    begun = scene.clock.now()
    asked = await scene.say("/fleet status")
    other = await scene.say("/fleet help", date=int(begun))
    await scene.until(lambda: scene.answer_to(other))
    assert scene.clock.now() - begun >= 30
    answers = [one["message_id"] for one in (scene.answer_to(asked), scene.answer_to(other)) if one]
    assert answers == sorted(answers)
    assert len(scene.telegram.called("sendMessage")) == 3


async def test_a_reply_that_somebody_deleted_is_said_anew(scene: TelegramScene) -> None:
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in reply["text"])
    scene.people.delete(reply)
    scene.api.done(1)
    shown = scene.telegram.history.shown
    await scene.until(lambda: any("Deploy claw-2: done" in one["text"] for one in shown(OPERATOR)))


async def test_a_deploy_goes_on_while_its_reply_can_not_be_edited(scene: TelegramScene) -> None:
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in reply["text"])
    scene.telegram.weather.bad_gateway("editMessageText", times=4)
    scene.api.done(1)
    await scene.until(lambda: "done" in reply["text"])


@pytest.mark.parametrize("trouble", ["502", "429", "gone"])
async def test_however_long_telegram_is_away_the_end_is_shown_and_its_asker_called(
    scene: TelegramScene, trouble: str
) -> None:
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in reply["text"])
    begun = scene.clock.now()
    scene.api.done(1)
    if trouble == "gone":
        await scene.telegram.stop()
        await scene.until(lambda: scene.clock.now() - begun > 1800, each=5.0)
        await scene.telegram.start()
    for method in ("editMessageText", "sendMessage"):
        if trouble == "429":
            scene.telegram.weather.flood(method, retry_after=2000)
        elif trouble == "502":
            scene.telegram.weather.bad_gateway(method, times=40)
    await scene.until(lambda: "done" in reply["text"], each=5.0)
    assert scene.clock.now() - begun > 900
    await scene.until(lambda: len(scene.telegram.history.shown(OPERATOR)) == 2, each=5.0)


async def test_silence_that_telegram_asks_for_does_not_end_our_patience(
    scene: TelegramScene,
) -> None:
    await scene.start()
    scene.telegram.weather.flood("sendMessage", retry_after=2000)
    scene.telegram.weather.bad_gateway("sendMessage")
    asked = [await scene.say("/fleet status"), await scene.say("/fleet help")]
    await scene.until(lambda: all(scene.answer_to(one) for one in asked), each=10.0)
    assert "2 instances" in str(scene.answer_to(asked[0]))


async def test_a_stop_lets_the_asker_be_called_whom_no_successor_would_call(
    scene: TelegramScene,
) -> None:
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in reply["text"])
    scene.telegram.weather.bad_gateway("sendMessage", times=3)
    said = len(scene.telegram.called("sendMessage"))
    scene.api.done(1)
    await scene.until(lambda: len(scene.telegram.called("sendMessage")) > said, each=0.1)
    assert "done" in reply["text"]
    await scene.stop()
    assert len(scene.telegram.history.shown(OPERATOR)) == 2


@pytest.mark.parametrize("trouble", ["502", "429"])
async def test_a_deploy_that_could_not_be_answered_for_two_minutes_is_not_begun(
    scene: TelegramScene, trouble: str
) -> None:
    await scene.start()
    if trouble == "502":
        scene.telegram.weather.bad_gateway("sendMessage", times=12)
    else:
        scene.telegram.weather.flood("sendMessage", retry_after=150)
    asked = await scene.say("/fleet deploy claw-2")
    await answered(scene, asked)
    assert "nothing was deployed. Say it again." in str(scene.answer_to(asked))
    assert scene.api.count("deploy") == 0


@pytest.mark.parametrize("trouble", ["", "502", "429"])
async def test_a_clock_that_is_set_back_an_hour_silences_nobody(
    scene: TelegramScene, trouble: str
) -> None:
    await scene.start()
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in reply["text"])
    begun = scene.clock.monotonic()
    if trouble == "429":
        scene.telegram.weather.flood("editMessageText", retry_after=20)
    elif trouble == "502":
        scene.telegram.weather.bad_gateway("editMessageText", times=3)
    scene.api.running(1)
    await scene.clock.turn(12.0)
    scene.host_clock.off = -3600.0
    await scene.until(lambda: "planning" in reply["text"])
    asked = await scene.say("/fleet status")
    await scene.until(lambda: scene.answer_to(asked))
    assert scene.clock.monotonic() - begun < 90


# -- two pollers ---------------------------------------------------------------------------


async def stolen(scene: TelegramScene) -> None:
    """Another program polls; return once ours has tried again."""
    polls = scene.telegram.updates.polls
    await scene.steal()
    await scene.until(lambda: scene.telegram.updates.polls > polls)


async def test_one_conflict_is_nothing(scene: TelegramScene) -> None:
    await scene.start()
    await stolen(scene)
    assert "2 instances" in (await scene.reply_to(await scene.say("/fleet status")))["text"]


async def test_after_three_conflicts_in_a_minute_it_pauses_and_says_so(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.start()
    await stolen(scene)
    await stolen(scene)
    begun = scene.clock.now()
    await stolen(scene)
    assert 60 <= scene.clock.now() - begun <= 301
    said = "Another program polls with my Telegram token."
    assert said in caplog.text
    assert any(said in one["text"] for one in scene.telegram.history.shown(scene.fleet["id"]))


# -- webhooks ------------------------------------------------------------------------------


async def complaint(scene: TelegramScene) -> str:
    """What systemd hears that somebody has to mend."""
    await scene.until(lambda: scene.told and scene.told[-1].startswith("STATUS=Telegram: "))
    return scene.told[-1]


async def is_mended(scene: TelegramScene) -> None:
    """Nothing is said any more, and asks are answered; within five minutes of its being mended."""
    mended = scene.clock.now()
    asked = await scene.say("/fleet help", date=int(mended) + 300)
    await scene.until(lambda: scene.told[-1].endswith("STATUS="))
    assert scene.clock.now() - mended <= 310
    await scene.reply_to(asked)


async def test_a_webhook_that_somebody_set_is_left_and_said(scene: TelegramScene) -> None:
    scene.telegram.methods.webhook["url"] = "https://hook.example/secret-path"
    scene.run()
    said = await complaint(scene)
    assert "A webhook is set for this bot (hook.example)" in said
    assert "secret-path" not in said
    for _ in range(24):
        await scene.clock.asleep(1)
        await scene.clock.turn(3600)
    assert len(scene.told) == 1
    assert scene.telegram.called("deleteWebhook") == []
    scene.telegram.methods.webhook["url"] = ""
    await is_mended(scene)


async def test_a_webhook_that_somebody_sets_later_is_left_and_said(scene: TelegramScene) -> None:
    await scene.start()
    scene.telegram.methods.webhook["url"] = "https://hook.example/x"
    await scene.telegram.updates.steal()
    assert "A webhook is set for this bot" in await complaint(scene)
    assert scene.telegram.called("deleteWebhook") == []
    scene.telegram.methods.webhook["url"] = ""
    await is_mended(scene)


async def test_a_token_that_telegram_does_not_know_is_said_and_not_shown(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    wrong = "700100:AAwrongwrongwrong"
    scene.run(CLAWBOT_TELEGRAM_TOKEN=wrong)
    said = await complaint(scene)
    assert "Telegram does not know the token" in said
    assert "wrong" not in said + caplog.text


async def test_no_token_is_ever_logged(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    scene.telegram.weather.bad_gateway("*", times=2)
    await scene.start()
    await scene.reply_to(await scene.say("/fleet status"))
    assert TOKEN not in caplog.text
    assert TOKEN.partition(":")[2] not in caplog.text


async def test_telegram_may_be_away_when_the_bot_starts(scene: TelegramScene) -> None:
    await scene.telegram.stop()
    task = scene.run()
    begun = scene.clock.now()
    await scene.until(lambda: scene.clock.now() - begun > 60)
    await scene.telegram.start()
    asked = await scene.say("/fleet status", date=int(scene.clock.now()))
    await answered(scene, asked)
    assert not task.done()


# -- many at once --------------------------------------------------------------------------


async def test_200_within_a_second_are_answered_once_each_in_order_with_one_read(
    scene: TelegramScene,
) -> None:
    people = [user(5000 + number) for number in range(20)]
    operators = ",".join(f"telegram:{one['id']}" for one in people)
    asked = []
    for turn in range(10):
        for one in people:
            words = "status" if turn % 2 == 0 else "help"
            asked.append(await scene.people.say(private(one["id"]), one, f"/fleet {words}"))
    await scene.start(CLAWBOT_OPERATORS=operators)
    await scene.until(lambda: len(scene.telegram.called("sendMessage")) >= 200, each=0.01)
    await scene.telegram.history.until(lambda: all(scene.answer_to(one) for one in asked))
    for one in people:
        answered = [
            message["reply_to_message"]["message_id"]
            for message in scene.telegram.history.shown(one["id"])
        ]
        assert answered == list(range(1, 11))
    assert scene.ec2.counts["DescribeInstances"] == 1


# -- how long ------------------------------------------------------------------------------


async def as_it_is(scene: TelegramScene) -> None:
    """A bot at the pace of its own."""
    async with assemble(load(scene.environ("demo")), scene.host_clock) as bot:
        await run(bot)


async def test_a_poll_is_held_for_half_a_minute(scene: TelegramScene) -> None:
    scene.begin("demo", as_it_is(scene))
    await scene.until(lambda: scene.telegram.called("getUpdates"))
    assert scene.telegram.called("getUpdates")[0].sent["timeout"] == "30"


async def test_a_call_that_is_not_answered_is_given_up_after_ten_seconds(
    scene: TelegramScene, caplog: pytest.LogCaptureFixture
) -> None:
    loop = TurnedLoop()
    scene.telegram.weather.hang()
    scene.begin("demo", as_it_is(scene))
    await scene.until(lambda: scene.telegram.called("getMe"))
    await loop.turn(8)
    assert "telegram.not_reached" not in caplog.text
    await loop.turn(4)
    await scene.until(lambda: "telegram.not_reached" in caplog.text)
    scene.telegram.weather.answer_again()


async def test_after_six_days_of_silence_updates_are_asked_for_anew(scene: TelegramScene) -> None:
    scene.poll_seconds = 0
    await scene.start()
    await answered(scene, await scene.say("/fleet help"))

    async def offset(later: float) -> str | None:
        await scene.clock.turn(later)
        polls = len(scene.telegram.called("getUpdates"))
        await scene.until(lambda: len(scene.telegram.called("getUpdates")) >= polls + 3)
        return scene.telegram.called("getUpdates")[-1].sent.get("offset")

    assert await offset(5.9 * 86400) == "101"
    assert await offset(0.2 * 86400) is None


@pytest.mark.parametrize(("tries", "told"), [(12, True), (45, False)])
async def test_what_can_not_be_said_for_a_quarter_of_an_hour_is_not_said(
    scene: TelegramScene, tries: int, told: bool
) -> None:
    """A try takes half a minute."""
    await scene.start()
    scene.telegram.weather.bad_gateway("sendMessage", times=tries)
    asked = await scene.say("/fleet help")
    await scene.until(lambda: scene.answer_to(asked), each=15.0)
    assert ("Something broke" not in str(scene.answer_to(asked))) == told


async def test_edits_keep_their_distance(scene: TelegramScene) -> None:
    await scene.start(CLAWBOT_RUNNING_EVERY="1", CLAWBOT_WAITING_EVERY="1")
    reply = await scene.reply_to(await scene.say("/fleet deploy claw-2"))
    await scene.until(lambda: "queued" in reply["text"])
    moments = []
    for count in range(1, 6):
        hosts = [job(f"host-{number}: none -> ami-0cccccccccccccccc") for number in range(count)]
        scene.api.running(1, *hosts, job(MOVES, None, "in_progress"))
        await scene.until(lambda: f"host-{count - 1}" in reply["text"], each=0.5)  # noqa: B023  (awaited here)
        moments.append(scene.clock.now())
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert 3 <= min(gaps) < 15


async def test_what_was_said_before_we_began_is_looked_for_every_five_seconds(
    scene: TelegramScene,
) -> None:
    """For as long as GitHub may take to list it: a quarter of a minute."""
    asked = await scene.say("/fleet deploy claw-2", date=int(scene.clock.now()) - 10)
    await scene.start()
    await scene.until(lambda: scene.answer_to(asked))
    looks = [one for one in scene.api.asked if one["action"] == "runs" and "request_id" in one]
    assert 3 <= len(looks) <= 5


async def test_behind_a_proxy_it_is_asked_for_telegram_alone(
    scene: TelegramScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recording() as proxy:
        proxy.is_set(monkeypatch)
        for name in ("ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "socks5://127.0.0.1:9")
        await scene.start()
        await scene.reply_to(await scene.say("/fleet status"))
        assert proxy.asked == []

        scene.run("other", CLAWBOT_TELEGRAM_API_URL="https://telegram.example")
        await scene.until(lambda: proxy.asked)

    assert proxy.asked[0] == "CONNECT telegram.example:443"
