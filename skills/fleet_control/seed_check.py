"""What a host would miss in a seed: asked before one goes for it, and again at its boot."""

import json
from collections.abc import Iterator, Mapping

from fleet_control.archive import File
from fleet_control.error import RegistryError
from fleet_control.registry import parse
from fleet_control.seed import REVISION_FILE

REGISTRY = "nix/instances.json"
FACTS = "nix/facts.json"


def faults(files: Mapping[str, File], revision: str, instance: str) -> tuple[str, ...]:
    """Why these files can't make that instance's host of that commit; a sentence each."""
    missing = {REVISION_FILE, "flake.nix", "flake.lock", REGISTRY, FACTS} - files.keys()
    if missing:
        return (f"The seed lacks {', '.join(sorted(missing))}.",)
    return tuple(_faults(files, revision, instance))


def _faults(files: Mapping[str, File], revision: str, instance: str) -> Iterator[str]:
    if files[REVISION_FILE].data != f"{revision}\n".encode():
        yield f"The seed is of another commit than {revision}."
    if not _agent_command(files[FACTS].data):
        yield f"In the seed {FACTS} does not say what starts the agent: fill in `agentCommand`."
    try:
        entry = parse(files[REGISTRY].data).get(instance)
    except RegistryError as error:
        yield str(error)
        return
    if entry is None:
        yield f"The seed does not know {instance}."
    elif f"nix/hosts/{entry.host}.nix" not in files:
        yield f"The seed lacks nix/hosts/{entry.host}.nix."


def _agent_command(facts: bytes) -> bool:
    try:
        said = json.loads(facts)
        return bool(said.get("agentCommand"))
    except (ValueError, AttributeError):
        return False
