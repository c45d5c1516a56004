"""`clawbot demo` with a real front: a real guild or chat drives the sandbox."""

import logging
import sys
from collections.abc import Mapping

from clawbot.sandbox.world import World
from clawbot.serve import Unserved, configured, serving
from clawbot.settings import PREFIX, SettingsError, load

FRONTS = ("discord", "telegram")
# What only a person can know, by front; beside it, who may deploy.
NEEDED = {"discord": ("DISCORD_TOKEN", "DISCORD_GUILD"), "telegram": ("TELEGRAM_TOKEN",)}


def lacking(front: str, environ: Mapping[str, str]) -> str:
    """Why this front can't be served, in a sentence; empty when it can."""
    if front not in FRONTS:
        return f"FRONT={front}: it is one of terminal, {', '.join(FRONTS)}."
    missing = [PREFIX + name for name in NEEDED[front] if not environ.get(PREFIX + name)]
    if not missing:
        return ""
    return f"FRONT={front} needs {' and '.join(missing)} in the environment."


def given(front: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The settings of this front, and of who may deploy; nothing else reaches the sandbox."""
    ours = f"{PREFIX}{front.upper()}_"
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(ours) or name == f"{PREFIX}OPERATORS"
    }


async def serve_front(world: World, instance: str, front: str, environ: Mapping[str, str]) -> int:
    """Serve until told to end; 1 with a sentence where that can't be."""
    logging.getLogger().addHandler(logging.StreamHandler())
    try:
        settings = load(world.bot_environ(instance) | given(front, environ), world.folder)
        return await serving(settings, configured(settings))
    except (SettingsError, Unserved) as error:
        print(error, file=sys.stderr)  # noqa: T201  (the command's own output)
        return 1
