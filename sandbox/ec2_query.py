"""A request in EC2's query protocol, as far as a host's state matters to it."""

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from urllib.parse import parse_qsl


class Ec2Query:
    """What a form-encoded body asks."""

    def __init__(self, body: bytes) -> None:
        self._form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))

    @property
    def action(self) -> str:
        return self._form.get("Action", "")

    @property
    def ids(self) -> bool:
        """Whether it names hosts by id."""
        return "InstanceId.1" in self._form

    @property
    def include_all(self) -> bool:
        return self._form.get("IncludeAllInstances", "").lower() == "true"

    @property
    def most(self) -> int | None:
        text = self._form.get("MaxResults", "")
        return int(text) if text.isdecimal() else None

    @property
    def token(self) -> str:
        return self._form.get("NextToken", "")

    def filters(self, names: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """The filters of these names, each with the values it lets through."""
        found: dict[str, tuple[str, ...]] = {}
        number = 1
        while name := self._form.get(f"Filter.{number}.Name"):
            if name in names:
                found[name] = self._values(number)
            number += 1
        return found

    def _values(self, number: int) -> tuple[str, ...]:
        prefix = f"Filter.{number}.Value."
        return tuple(value for key, value in self._form.items() if key.startswith(prefix))


def passes(seen: Mapping[str, str], filters: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether what is seen fits every filter; `*` and `?` are wildcards, as in EC2."""
    return all(
        any(fnmatchcase(seen[name], value) for value in values) for name, values in filters.items()
    )
