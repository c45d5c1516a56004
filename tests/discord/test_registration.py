"""One command is upserted; nobody else's is touched."""

from tests.discord.scene import Scene


def written(scene: Scene) -> list[str]:
    return [
        method
        for method, path in scene.discord.asked
        if path.endswith("/commands") and method != "GET"
    ]


async def test_other_commands_of_the_application_stay(scene: Scene) -> None:
    scene.app.commands["ask"] = {"id": "1", "name": "ask", "description": "the agent's", "type": 1}
    await scene.start()
    assert written(scene) == ["POST"]
    assert list(scene.app.commands) == ["ask", "fleet"]
    fleet = scene.app.commands["fleet"]
    assert [one["name"] for one in fleet["options"]] == ["status", "deploy", "help"]
    assert fleet["default_member_permissions"] == str(1 << 11)


async def test_it_is_not_sent_again_while_it_says_the_same(scene: Scene) -> None:
    await scene.start()
    await scene.stop()
    await scene.start()
    assert written(scene) == ["POST"]


async def test_it_is_sent_again_when_it_changed(scene: Scene) -> None:
    await scene.start()
    await scene.stop()
    scene.app.commands["fleet"]["options"][0]["description"] = "as an older version had it"
    await scene.start()
    await scene.until(lambda: written(scene) == ["POST", "POST"])
    description = scene.app.commands["fleet"]["options"][0]["description"]
    assert description == "Every instance, its host, and what is wrong"
