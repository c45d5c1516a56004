"""Where a bot's tokens lie on the host it rides: the registry names the secret, agenix lays it."""

from pathlib import Path

from fleet_control.error import RegistryError
from fleet_control.registry import Instance, parse

PLATFORMS = ("discord", "telegram")
SECRETS = "run/agenix"


def token_files(instance: str, registry: Path, root: Path) -> dict[str, Path]:
    """The files below `root` that hold the tokens of this instance's bot, by setting.

    The bot's own application comes first: where it has one, the agent logs in with the other.
    Nothing where the registry can't be read; what is wrong with it is told elsewhere.
    """
    try:
        entry = parse(registry.read_bytes()).get(instance)
    except (OSError, RegistryError):
        return {}
    found = {f"{platform}_token": _secret(entry, platform) for platform in PLATFORMS}
    return {name: root / SECRETS / secret for name, secret in found.items() if secret}


def _secret(entry: Instance | None, platform: str) -> str | None:
    own: str | None = getattr(entry, f"clawbot_{platform}_token_secret", None)
    shared: str | None = getattr(entry, f"{platform}_token_secret", None)
    return own or shared
