"""Lookups of moto's, in moto's process, that it makes anew for each request and that never change.

For each field of each answer it tries the names that its own objects may have for it, and makes the
list of them each time; for each request it lists the methods of a class, and twice moto's own
folders, and for each element of an answer it looks through the letters of its name. That is more
than half of what an answer costs.
"""

from functools import cache
from typing import Any

import xmltodict  # type: ignore[import-untyped]  # it has none
from moto import backends
from moto.core import responses
from moto.core.serialize import AttributePickerContext, ResponseSerializer, XFormedAttributePicker
from moto.core.utils import get_value

_possible_keys = XFormedAttributePicker.get_possible_keys
_get_value = ResponseSerializer.get_value
_MISSING = object()
# By the class of the object, the field's name and its shape, which lives as long as the process.
_names: dict[tuple[type, str, Any], tuple[str, ...]] = {}


class _Picker(XFormedAttributePicker):
    """Knows which fields' values it changes on the way: those whose names end so."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changed = tuple(path.rpartition(".")[2] for path in self.response_transformers)


def _value_of(serializer: Any, value: Any, key: str, shape: Any) -> Any:
    """What moto finds; only where it may be changed is it noted where in the answer it is."""
    picker = serializer._value_picker  # noqa: SLF001  (moto's)
    if not isinstance(picker, _Picker) or key.endswith(picker.changed):
        return _get_value(serializer, value, key, shape)
    named = (type(value), key, shape)
    names = _names.get(named)
    if names is None:
        asked = AttributePickerContext(value, key, shape)
        names = _names[named] = tuple(dict.fromkeys(_possible_keys(picker, asked)))
    for name in names:
        found = get_value(value, name, _MISSING)
        if found is not _MISSING:
            return found
    return None


def kept() -> list[tuple[Any, str, object]]:
    """What stands where in the place of moto's."""
    methods, valid = responses.method_names_from_class, xmltodict._validate_name  # type: ignore[attr-defined]  # noqa: SLF001  (as moto has them)
    services = tuple(backends.list_of_moto_modules())
    return [
        (backends, "list_of_moto_modules", lambda: services),
        (ResponseSerializer, "get_value", _value_of),
        (responses, "XFormedAttributePicker", _Picker),
        (responses, "method_names_from_class", cache(methods)),
        (xmltodict, "_validate_name", cache(valid)),
    ]


def take_place() -> None:
    """Have moto make each of them once."""
    for owner, name, own in kept():
        setattr(owner, name, own)
