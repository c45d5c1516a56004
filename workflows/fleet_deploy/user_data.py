"""A host's user data, made of tofu/fleet's template as OpenTofu makes it."""

import hashlib
import re
from collections.abc import Mapping

# Two signs make one of no meaning; the rest of the template language no template of ours uses.
_PLACE = re.compile(r"\$\$\{|%%\{|\$\{([a-z0-9_]+)\}|[$%]\{")


class Unrenderable(ValueError):
    """What the template asks for and is not told, or is told and does not ask for."""


def digest(text: str) -> str:
    """As a plan shows user data: the provider keeps its SHA-1, and never the text."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def render(template: str, values: Mapping[str, str]) -> str:
    """The template with exactly these values, each of them used; Unrenderable."""
    unused = {name for name, value in values.items() if value}

    def filled(place: re.Match[str]) -> str:
        name = place[1]
        if name is None:
            if len(place[0]) == len("${"):
                raise Unrenderable(f"it holds `{place[0]}` with more than a name")
            return place[0][1:]
        if not values.get(name):
            raise Unrenderable(f"it asks for `{name}`, which this run does not tell")
        unused.discard(name)
        return values[name]

    text = _PLACE.sub(filled, template)
    if unused:
        raise Unrenderable(f"it does not tell the host its `{min(unused)}`")
    return text
