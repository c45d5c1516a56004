"""What hosts are launched as: the revision, and tofu/fleet's template with each host's values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_REGISTRY = "../../nix/instances.json"
_TEMPLATE = "user-data.sh.tftpl"
_VARIABLES = ("region", "control_api_url", "revision", "seed_sha256")


@dataclass(frozen=True, slots=True)
class Told:
    """What the engine was told of the hosts that it makes.

    Attributes:
        entries: the registry's, by id.
        template: empty where the folder holds none.
        variables: tofu/fleet's, as the environment has them.
    """

    entries: Mapping[str, Mapping[str, str]]
    template: str
    variables: Mapping[str, str]

    @property
    def revision(self) -> str:
        return self.variables["revision"]

    def user_data(self, id_: str) -> str:
        entry = self.entries[id_]
        own = {
            "instance": id_,
            "host": entry["host"],
            "bootstrap_prefix": entry["bootstrapPrefix"],
        }
        text = self.template
        for name, value in {**own, **self.variables}.items():
            text = text.replace(f"${{{name}}}", value)
        return text


def told(folder: Path, environ: Mapping[str, str]) -> Told:
    template = folder / _TEMPLATE
    return Told(
        json.loads((folder / _REGISTRY).read_text()),
        template.read_text() if template.exists() else "",
        {name: environ.get(f"TF_VAR_{name}", "") for name in _VARIABLES},
    )
