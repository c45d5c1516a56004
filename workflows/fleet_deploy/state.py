"""The engine's state, as `tofu show -json` writes it: which machines it knows."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from workflows.fleet_deploy.change import HOST
from workflows.fleet_deploy.stopped import Stopped

_TYPE, _NAME = HOST.split(".")


def machines_of(shown: Any) -> dict[str, str]:
    """The id of every host's machine, leftovers too, each with its instance; Stopped if unreadable.

    A state that was never written has no values.
    """
    try:
        if not str(shown["format_version"]).startswith("1."):
            raise ValueError("another format")
        module = (shown.get("values") or {}).get("root_module") or {}
        return dict(_machines(module.get("resources") or ()))
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        why = "OpenTofu's state can't be read, so I can't tell which hosts it knows."
        raise Stopped("OpenTofu failed", why) from error


def _machines(resources: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for one in resources:
        if (one["mode"], one["type"], one["name"]) == ("managed", _TYPE, _NAME):
            machine, id_ = one["values"]["id"], one["index"]
            if not (isinstance(machine, str) and isinstance(id_, str)):
                raise TypeError("a host without an id")
            yield machine, id_
