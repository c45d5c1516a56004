"""What Tab makes of a line that is being typed."""

from collections.abc import Iterable, Sequence
from os.path import commonprefix

from fleet_control.caller import ALL

_COMMANDS = ("status", "deploy", "help")


def completed(typed: str, ids: Sequence[str]) -> str:
    """What was typed, longer by as much as is certain; `ids` are the registry's."""
    before, space, word = typed.rpartition(" ")
    fitting = [one for one in _possible(before.split(), ids) if one.startswith(word)]
    if len(fitting) == 1:
        return f"{before}{space}{fitting[0]} "
    return before + space + (commonprefix(fitting) or word)  # noqa: RUF071  (of words, and character by character)


def _possible(said: list[str], ids: Sequence[str]) -> Iterable[str]:
    match said:
        case (*_, "/fleet"):
            return _COMMANDS
        case (*_, "/fleet", "deploy"):
            return (ALL, *ids)
        case () | (_,):
            return ("/fleet", *(f"{id_}:" for id_ in ids))
        case _:
            return ()
