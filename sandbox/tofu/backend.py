"""Where the state's lock lies: what `init` was told, kept beside the configuration."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.tofu.command import Command
from sandbox.tofu.failure import Failed

# As tofu/fleet/main.tf has it.
_STATE_KEY = "fleet.tfstate"
_KEPT = Path(".terraform/stand-in.json")


@dataclass(frozen=True, slots=True)
class Backend:
    bucket: str
    dynamodb_table: str
    region: str

    @property
    def path(self) -> str:
        """What the lock's item is named by."""
        return f"{self.bucket}/{_STATE_KEY}"


def initialise(command: Command) -> Backend:
    given = command.pairs("-backend-config")
    names = tuple(Backend.__dataclass_fields__)
    if unknown := [name for name in given if name not in names]:
        raise Failed("Invalid backend configuration argument", f"{unknown[0]} is not expected.")
    if missing := [name for name in names if not given.get(name)]:
        raise Failed(
            "Missing backend configuration argument",
            f"-backend-config={missing[0]}=… must be given.",
        )
    backend = Backend(**given)
    kept = command.folder / _KEPT
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(asdict(backend)))
    return backend


def initialised(command: Command) -> Backend:
    try:
        return Backend(**json.loads((command.folder / _KEPT).read_text()))
    except OSError as error:
        raise Failed(
            'Backend initialization required, please run "tofu init"',
            "Reason: this folder was not initialised.",
        ) from error
