"""Addresses of resources, as -replace and -target name them."""

import json
import re
from collections.abc import Iterable

from sandbox.tofu.failure import Failed

RESOURCE = "aws_instance.clawdinator"
_ADDRESS = re.compile(r'[a-z_]\w*\.[a-z_][\w-]*(\["(?:[^"\\]|\\.)*"\]|\[\d+\])?', re.ASCII)


def of(id_: str) -> str:
    return f"{RESOURCE}[{json.dumps(id_)}]"


def checked(flag: str, addresses: Iterable[str]) -> frozenset[str]:
    """The addresses, each well formed; what they name may be missing, as for OpenTofu."""
    all_ = tuple(addresses)
    for one in all_:
        if not _ADDRESS.fullmatch(one):
            raise Failed(f"Invalid {flag} address", f"{one!r} is not a resource's address.")
    return frozenset(all_)
