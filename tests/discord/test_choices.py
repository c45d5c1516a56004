"""What is offered while a deploy is typed."""

import asyncio
import threading

import pytest

from sandbox.discord_api import limit
from tests.clawbot.bots import registry
from tests.clawbot.control_api import run
from tests.discord.ec2 import NEWEST, OLDER, OLDEST, Claw
from tests.discord.scene import DiscordScene


async def offered(
    scene: DiscordScene, focused: str, typed: str, **others: str
) -> list[tuple[str, str]]:
    asked = await scene.discord.typing(
        scene.app, scene.visitor, "deploy", focused, **others, **{focused: typed}
    )
    await scene.discord.until(lambda: asked.answer)
    return [(choice["name"], choice["value"]) for choice in asked.choices]


async def test_targets_come_with_state_and_image(scene: DiscordScene) -> None:
    scene.hosts(Claw("claw-1", OLDER))
    await scene.start()
    assert await offered(scene, "target", "") == [
        ("all · every host, 2 instances", "all"),
        ("claw-2 · missing", "claw-2"),
        ("claw-1 · healthy, image 9 days old", "claw-1"),
    ]


async def test_the_best_match_comes_first(scene: DiscordScene) -> None:
    ids = [f"claw-{n}" for n in range(1, 41)]
    scene.api.registry = registry(*ids)
    scene.hosts(*map(Claw, ids))
    await scene.start()
    assert [value for _, value in await offered(scene, "target", "claw-4")] == ["claw-4", "claw-40"]
    assert len(await offered(scene, "target", "claw")) == limit.CHOICES
    assert (await offered(scene, "target", "clwa-17"))[0][1] == "claw-17"
    assert await offered(scene, "target", "zlx-") == []
    # `all` is said to have 40 instances, and each image to be 2 days old.
    assert (await offered(scene, "target", "40"))[0][1] == "claw-40"
    assert (await offered(scene, "target", "2"))[0][1] == "claw-2"


async def test_an_instance_that_was_merged_since_is_offered_once_its_id_is_typed(
    scene: DiscordScene,
) -> None:
    await scene.start()
    await offered(scene, "target", "")
    scene.api.registry = registry("claw-1", "claw-2", "new-1")
    await scene.clock.turn(6)
    assert [value for _, value in await offered(scene, "target", "new-1")] == ["new-1"]


async def test_images_come_with_age_and_who_runs_them(scene: DiscordScene) -> None:
    scene.hosts(Claw("claw-1", OLDER), Claw("claw-2", OLDER))
    await scene.start()
    assert await offered(scene, "image_or_commit", "", target="claw-1") == [
        (f"{NEWEST} · 2026-09-19, 2 days old · on no host", NEWEST),
        (f"{OLDER} · 2026-09-12, 9 days old · on claw-1, claw-2", OLDER),
        (f"{OLDEST} · 2026-08-22, 30 days old · on no host", OLDEST),
    ]


TAKEN = {"message": "Interaction has already been acknowledged.", "code": 40060}


@pytest.mark.parametrize(("after", "asked"), [(890, True), (910, False)])
async def test_what_was_picked_from_another_program_s_choices_is_asked_about(
    scene: DiscordScene, after: float, asked: bool
) -> None:
    """It may have shown one target and meant another; only its value comes to us."""
    await scene.start()
    scene.discord.refuse_next("POST", "/callback", 400, TAKEN)
    await scene.discord.typing(scene.app, scene.operator, "deploy", "target", target="claw")
    await scene.until(lambda: not scene.discord.injected)
    await scene.clock.turn(after)
    picked = await scene.discord.command(scene.app, scene.operator, "deploy", target="claw-1")
    reply = await scene.replied(picked)
    assert ("Deploy claw-1?" in reply.text) == asked
    assert list(reply.buttons) == (["Deploy", "Leave it"] if asked else list(reply.buttons))
    # Another's typing was answered by us.
    await offered(scene, "target", "claw")
    await scene.discord.command(scene.app, scene.owner, "deploy", target="claw-2")
    await scene.until(lambda: any(run.target == "claw-2" for run in scene.api.runs))
    assert any(run.target == "claw-1" for run in scene.api.runs) != asked


async def test_a_stale_answer_beats_none_when_ec2_is_slow(scene: DiscordScene) -> None:
    await scene.start()
    before = await offered(scene, "target", "")
    freed = threading.Event()
    scene.ec2.hold = freed.wait
    try:
        await scene.clock.turn(3)
        asked = await scene.discord.typing(scene.app, scene.visitor, "deploy", "target", target="")
        await scene.until(lambda: asked.answer)
        assert [(one["name"], one["value"]) for one in asked.choices] == before
    finally:
        freed.set()


async def test_with_ec2_unseen_the_registry_is_offered(scene: DiscordScene) -> None:
    freed = threading.Event()
    scene.ec2.hold = freed.wait
    await scene.start()
    try:
        asked = await scene.discord.command(scene.app, scene.operator, "deploy", target="nope")
        await scene.replied(asked)
        asked = await scene.discord.typing(scene.app, scene.visitor, "deploy", "target", target="a")
        await scene.until(lambda: asked.answer)
        assert [one["value"] for one in asked.choices] == ["all", "claw-1", "claw-2"]
    finally:
        freed.set()


async def test_elsewhere_nothing_is_offered(scene: DiscordScene) -> None:
    await scene.start(CLAWBOT_DISCORD_CHANNELS=scene.discord.channel("lobby").id)
    assert await offered(scene, "target", "") == []
    assert await offered(scene, "image_or_commit", "", target="all") == []


async def test_who_types_waits_a_second_for_a_slow_ec2_and_no_longer(scene: DiscordScene) -> None:
    freed = threading.Event()
    scene.ec2.hold = freed.wait
    await scene.start()
    try:
        waiting = scene.clock.sleeping
        asked = await scene.discord.typing(scene.app, scene.visitor, "deploy", "target", target="")
        await scene.clock.asleep(waiting + 1)
        await scene.clock.turn(0.9)
        await asyncio.sleep(0.05)
        assert not asked.answer
        await scene.clock.turn(0.2)
        await scene.discord.until(lambda: asked.answer)
    finally:
        freed.set()


async def test_of_many_who_run_an_image_two_are_named(scene: DiscordScene) -> None:
    ids = [f"claw-{n}" for n in range(1, 6)]
    scene.api.registry = registry(*ids)
    scene.hosts(*(Claw(id_, OLDER) for id_ in ids))
    await scene.start()
    assert (await offered(scene, "image_or_commit", OLDER, target="claw-1"))[0][0].endswith(
        "9 days old · on claw-1, claw-2 +3"
    )


async def test_a_name_is_as_long_as_a_choice_s_may_be(scene: DiscordScene) -> None:
    ids = [f"{'claw-' * 6}{n}" for n in range(2)]
    scene.api.registry = registry(*ids)
    scene.hosts(*(Claw(id_, OLDER) for id_ in ids))
    await scene.start()
    name = (await offered(scene, "image_or_commit", OLDER, target=ids[0]))[0][0]
    assert len(name) == 100
    assert name.endswith("…")


async def runs_offered(scene: DiscordScene, typed: str) -> list[tuple[str, int]]:
    asked = await scene.discord.typing(scene.app, scene.visitor, "run", "run", run=typed)
    await scene.discord.until(lambda: asked.answer)
    return [(choice["name"], choice["value"]) for choice in asked.choices]


async def test_runs_come_with_what_was_asked_how_it_ended_and_when(scene: DiscordScene) -> None:
    long_ago = {"created": "2026-09-18T13:13:20Z", "request_id": ""}
    scene.api.runs = [
        run(71, "completed", "failure", target="claw-1", **long_ago),
        run(72, "completed", "success", target="all", operation="rollback", **long_ago),
    ]
    await scene.start()
    typed = ("", "71", "claw-1", "zlx-")
    found = {begun: await runs_offered(scene, begun) for begun in typed}

    failed = ("71 · deploy claw-1 · failed or stopped · 3 days ago", 71)
    assert found == {
        "": [("72 · rollback all · done · 3 days ago", 72), failed],
        "71": [failed],
        "claw-1": [failed],
        "zlx-": [],
    }
    assert scene.discord.problems == []
