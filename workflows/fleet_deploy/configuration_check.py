"""Checks the files in the fleet's folder before the engine opens it.

A provider, a provisioner or a data source acts before any plan could be read, and a backend or a
key provider already when the folder is opened. What is on no list here is refused.
"""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workflows.fleet_deploy import hcl
from workflows.fleet_deploy.change import CHECK, DATA, KEYED_DATA, OWN, SHARED
from workflows.fleet_deploy.hcl import Block

# Configurations, templates, and what `init` pinned. No variables, overrides, JSON or plugins.
_FILE = re.compile(r"(?!(.*_)?override\.)[a-z0-9_-]+\.(tf|tofu|sh\.tftpl)|\.terraform\.lock\.hcl")
_CONFIGURATION = (".tf", ".tofu")
# Beside the folder: OpenTofu takes providers from it wherever it was started.
_PLUGINS = "terraform.d"


@dataclass(frozen=True, slots=True)
class _Form:
    """What may stand in a block; `attributes` None for any.

    `blocks` are by header; a header's last word may be ``*``, any label.
    """

    attributes: Collection[str] | None = None
    blocks: "Mapping[str, _Form]" = field(default_factory=dict)

    def of(self, header: str) -> "_Form | None":
        return self.blocks.get(header) or self.blocks.get(f"{header.rpartition(' ')[0]} *")


_ANYTHING = _Form()
_ENCRYPTED = _Form({"method", "enforced"})
_RESOURCE = _Form(
    blocks={
        "lifecycle": _Form(blocks={"precondition": _ANYTHING}),
        "metadata_options": _ANYTHING,
        "root_block_device": _ANYTHING,
        "route": _ANYTHING,
        "egress": _ANYTHING,
    }
)
_DATA = _Form(blocks={"statement": _Form(blocks={"condition": _ANYTHING})})
_TERRAFORM = _Form(
    {"required_version"},
    {
        "required_providers": _Form({"aws"}),
        "backend s3": _Form({"key", "encrypt", "use_lockfile"}),
        "encryption": _Form(
            (),
            {
                "key_provider aws_kms state": _Form({"kms_key_id", "key_spec", "region"}),
                "method aes_gcm state": _Form({"keys"}),
                "state": _ENCRYPTED,
                "plan": _ENCRYPTED,
            },
        ),
    },
)
# The same things that the guard lets a plan touch.
_FLEET = _Form(
    (),
    {
        "terraform": _TERRAFORM,
        "provider aws": _Form(
            {"region"}, {"default_tags": _Form({"tags"}), "ignore_tags": _Form({"keys"})}
        ),
        "locals": _ANYTHING,
        "variable *": _Form(blocks={"validation": _ANYTHING}),
        **{f"resource {one.replace('.', ' ')}": _RESOURCE for one in (*OWN, *SHARED, CHECK)},
        **{one.replace(".", " "): _DATA for one in (*DATA, KEYED_DATA)},
    },
)
_PROVIDER = ("{", "source", "=", '"hashicorp/aws"', "version", "=")


def offences(root: Path, folder: str) -> tuple[str, ...]:
    """A sentence for each thing below `root` that the engine may not meet."""
    return tuple(_offences(root, folder))


def _offences(root: Path, folder: str) -> Iterator[str]:
    place = root / folder
    if not place.is_dir() or place.resolve() != root.resolve() / folder:
        yield f"{folder} is no folder of its own"
        return
    if os.path.lexists(root / _PLUGINS):
        yield f"{_PLUGINS} may hold providers that nobody signed"
    for file in sorted(place.iterdir()):
        if file.is_symlink() or not file.is_file() or not _FILE.fullmatch(file.name):
            yield f"{folder}/{file.name[:60]} is no file that a fleet has"
        elif file.suffix in _CONFIGURATION:
            yield from (f"{folder}/{file.name}: {one}" for one in _in_file(file))


def _in_file(file: Path) -> Iterator[str]:
    try:
        body = hcl.read(file.read_bytes().decode())
    except (OSError, ValueError) as error:
        yield f"it can't be read for sure ({error})"
        return
    yield from _beyond(body, _FLEET)


def _beyond(block: Block, form: _Form) -> Iterator[str]:
    """What stands in a block that its form does not allow."""
    within = f" in `{block.header}`" if block.header else ""
    for name in block.attributes:
        if form.attributes is not None and name not in form.attributes:
            yield f"`{name}`{within} is on no list"
    if block.header == "required_providers" and not _is_ours(block.attributes.get("aws", ())):
        yield "its provider is not hashicorp/aws of one version"
    for inner in block.blocks:
        known = form.of(inner.header)
        if known is None:
            yield f"`{inner.header}`{within} is on no list"
        else:
            yield from _beyond(inner, known)


def _is_ours(provider: tuple[str, ...]) -> bool:
    """Whether these are the tokens of ``{ source = "hashicorp/aws", version = "…" }``."""
    *begin, version, end = [one for one in provider if one != ","] or ("", "")
    return (*begin,) == _PROVIDER and version.startswith('"= ') and end == "}"
