"""A host's bot finds its tokens by the registry's names."""

import json
from pathlib import Path
from typing import Any

from clawbot.settings import load
from tests.clawbot.bots import registry
from tests.clawbot.test_serve import SETTINGS


def token(root: Path, environ: dict[str, str] | None = None, **entry: Any) -> str:
    entries = json.loads(registry("claw-1"))
    entries["claw-1"] |= entry
    (root / "instances.json").write_text(json.dumps(entries))
    (root / "run/agenix").mkdir(parents=True, exist_ok=True)
    for name in ("claw-1-token", "clawbot-1-token"):
        (root / "run/agenix" / name).write_text(f"{name}'s\n")
    settings = load(
        SETTINGS
        | {"CLAWBOT_INSTANCE": "claw-1", "CLAWBOT_REGISTRY_FILE": str(root / "instances.json")}
        | (environ or {}),
        root,
    )
    return settings.discord_token.get_secret_value() if settings.discord_token else ""


def test_the_instance_s_own(tmp_path: Path) -> None:
    assert token(tmp_path) == "claw-1-token's"


def test_the_bot_s_own_application_comes_first(tmp_path: Path) -> None:
    assert token(tmp_path, clawbotDiscordTokenSecret="clawbot-1-token") == "clawbot-1-token's"


def test_the_environment_comes_before_files(tmp_path: Path) -> None:
    assert token(tmp_path, {"CLAWBOT_DISCORD_TOKEN": "mine"}) == "mine"


def test_a_secret_that_is_not_there_is_no_token(tmp_path: Path) -> None:
    assert token(tmp_path, clawbotDiscordTokenSecret="elsewhere") == ""
