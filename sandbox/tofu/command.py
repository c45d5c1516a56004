"""What was asked on the command line; whatever neither a run nor the runbook asks is an error."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.tofu.failure import Failed

# Each flag, and whether it takes a value.
_KNOWN: Mapping[str, Mapping[str, bool]] = {
    "init": {"-input": True, "-no-color": False, "-backend-config": True},
    "plan": {
        "-input": True,
        "-no-color": False,
        "-lock-timeout": True,
        "-out": True,
        "-var": True,
        "-replace": True,
        "-target": True,
    },
    "show": {"-json": False},
    "apply": {"-input": True, "-no-color": False, "-lock-timeout": True},
    "force-unlock": {"-force": False},
}
_FILES = {"init": 0, "plan": 0, "show": 1, "apply": 1, "force-unlock": 1}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Command:
    """One of init, plan, show, apply and force-unlock.

    Attributes:
        folder: where the configuration is.
        flags: each with every value it was given.
        file: the plan, for show and apply; for force-unlock, its name is the lock's id.
    """

    name: str
    folder: Path
    flags: Mapping[str, tuple[str, ...]]
    file: Path | None

    def last(self, flag: str) -> str:
        return self.flags.get(flag, ("",))[-1]

    def pairs(self, flag: str) -> dict[str, str]:
        """The values of a flag that gives ``key=value``."""
        found = {}
        for text in self.flags.get(flag, ()):
            key, equals, value = text.partition("=")
            if not (key and equals):
                raise Failed(f"{flag}={text} must be {flag}=key=value")
            found[key] = value
        return found

    @property
    def lock_timeout(self) -> float:
        """Seconds."""
        text = self.last("-lock-timeout") or "0s"
        parts = _DURATION.findall(text)
        if "".join(number + unit for number, unit in parts) != text:
            raise Failed(f"-lock-timeout={text} is no duration such as 5m or 30s")
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def parse(argv: Sequence[str], here: Path) -> Command:
    rest = list(argv)
    folder = here
    if rest and rest[0].startswith("-chdir="):
        folder = here / rest.pop(0).removeprefix("-chdir=")
    if not rest or rest[0] not in _KNOWN:
        asked = f'"{rest[0]}"' if rest else "none"
        raise Failed(
            "Unknown command", f"This stand-in has {', '.join(_KNOWN)}; it was asked for {asked}."
        )
    name, *rest = rest
    if not folder.is_dir():
        raise Failed("Error handling -chdir option", f"{folder}: no such directory")
    flags: dict[str, list[str]] = {}
    files = [folder / one for one in rest if not one.startswith("-")]
    for one in (one for one in rest if one.startswith("-")):
        flag, value = _flag(name, one)
        flags.setdefault(flag, []).append(value)
    if len(files) != _FILES[name]:
        raise Failed(f"{name} takes {_FILES[name]} files here, and was given {len(files)}")
    if flags.get("-input", ["false"]) != ["false"]:
        raise Failed("-input can only be false here")
    return Command(
        name,
        folder,
        {flag: tuple(values) for flag, values in flags.items()},
        files[0] if files else None,
    )


def _flag(command: str, text: str) -> tuple[str, str]:
    flag, equals, value = text.partition("=")
    takes_value = _KNOWN[command].get(flag)
    if takes_value is None:
        raise Failed(
            f"flag provided but not defined: {flag}", f"This stand-in's {command} has not."
        )
    if takes_value != bool(equals):
        raise Failed(f"{flag} takes {'a value after =' if takes_value else 'no value'}")
    return flag, value
