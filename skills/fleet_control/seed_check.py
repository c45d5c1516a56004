"""What a seed lacks to boot a host: checked before a deploy, and again at the boot."""

import json
import re
from collections.abc import Iterator, Mapping

from fleet_control.archive import File
from fleet_control.error import RegistryError
from fleet_control.registry import parse
from fleet_control.seed import BOOT, REVISION_FILE

REGISTRY = "nix/instances.json"
FACTS = "nix/facts.json"
# Where a revision says which contract of boot its hosts speak.
CONTRACT = "skills/fleet_control/seed.py"

_BOOT = re.compile(rb'^BOOT = "([^"\n]*)"$', re.MULTILINE)


def faults(files: Mapping[str, File], revision: str, instance: str) -> tuple[str, ...]:
    """Why these files can't make that instance's host of that commit; a sentence each."""
    missing = {REVISION_FILE, "flake.nix", "flake.lock", REGISTRY, FACTS} - files.keys()
    if missing:
        return (f"The seed lacks {', '.join(sorted(missing))}.",)
    return tuple(_faults(files, revision, instance))


def _faults(files: Mapping[str, File], revision: str, instance: str) -> Iterator[str]:
    if files[REVISION_FILE].data != f"{revision}\n".encode():
        yield f"The seed is of another commit than {revision}."
    contract = _BOOT.search(files[CONTRACT].data) if CONTRACT in files else None
    if contract is None or contract[1] != BOOT.encode():
        yield (
            f"Revision {revision} does not speak the contract of boot {BOOT} ({CONTRACT}), so no "
            "host of it could read its seed: go back to it by a revert on the branch."
        )
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
