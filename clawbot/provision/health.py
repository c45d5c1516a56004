"""A host's answer to a health check: its units and its journal's end, as one JSON object.

`clawdinator-health`, which the fleet's SSM document calls, is this program with what the running
system was built as: its instance, its revision, the units that it must have.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from fleet_control.mask import masked

SECRETS_FOLDER = Path("/run/agenix")
# Bytes of journal that leave a host.
JOURNAL_BYTES = 8192
_LINES = 60
_PATIENCE_SECONDS = 8
# As much of what was said as is read before it is masked.
_READ = 256 * 1024
# Characters of what a unit says of itself.
_STATUS = 120
_PROPERTIES = (
    "Id,ActiveState,SubState,InvocationID,ActiveEnterTimestampMonotonic,NRestarts,StatusText,"
    "Result,ExecMainStatus"
)


def main(argv: Sequence[str], secrets: Path = SECRETS_FOLDER) -> int:
    parser = argparse.ArgumentParser(prog="clawdinator-health", description=__doc__)
    parser.add_argument("--instance", required=True)
    parser.add_argument("--revision", default="")
    parser.add_argument(
        "--asking", default="", help="the unit that runs the agent's own health command"
    )
    parser.add_argument("units", nargs="+")
    asked = parser.parse_args(argv)
    shown = _shown(_said("systemctl", "show", f"--property={_PROPERTIES}", *asked.units))
    if list(shown) != asked.units:
        sys.exit("systemd does not show the units that were asked for")
    units = dict(_units(shown, list(_values(secrets))))
    ill = [name for name, unit in units.items() if unit["state"] != "active" or unit["restarts"]]
    agrees = not asked.asking or _runs(asked.asking)
    if not agrees:
        ill.append(asked.asking)
    answer = {
        "instance": asked.instance,
        "revision": asked.revision,
        "units": units,
        "agrees": agrees,
        "journal": last_words(_journal(ill) + _ends(ill, shown), secrets) if ill else "",
    }
    sys.stdout.write(json.dumps(answer))
    return 0


def _shown(printed: str) -> dict[str, dict[str, str]]:
    """Each unit's properties of what `systemctl show` printed.

    A unit says its StatusText itself, and some of what else could end a line is in that.
    """
    blocks = [block.split("\n") for block in printed.strip("\n").split("\n\n")]
    units = [dict(line.partition("=")[::2] for line in reversed(block)) for block in blocks]
    return {unit.get("Id", ""): unit for unit in units}


def _units(
    shown: Mapping[str, Mapping[str, str]], secrets: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Each unit's state, as the JSON answer has it."""
    for name, said in shown.items():
        since = time.monotonic() - int(said["ActiveEnterTimestampMonotonic"]) / 1e6
        active = said["ActiveState"] == "active"
        yield (
            name,
            {
                "state": said["ActiveState"],
                "sub": said["SubState"],
                "invocation": said["InvocationID"],
                "active_seconds": max(0, int(since)) if active else 0,
                "restarts": int(said.get("NRestarts") or 0),
                "status": masked(said.get("StatusText", ""), secrets)[:_STATUS],
            },
        )


def _runs(unit: str) -> bool:
    """Whether this unit's program succeeds in the seconds that nix/modules/health.nix gives it."""
    try:
        _said("systemctl", "start", unit)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _journal(units: Iterable[str]) -> str:
    """What the programs of these units said themselves; systemd's own lines about them are many."""
    command = ["journalctl", "--no-pager", "--output=cat", f"--lines={_LINES}"]
    try:
        return _said(*command, *(f"_SYSTEMD_UNIT={unit}" for unit in units))
    except (OSError, subprocess.SubprocessError):
        return "(the journal can't be read)"


def _ends(units: Iterable[str], shown: Mapping[str, Mapping[str, str]]) -> str:
    """The result and exit status of each of these units that failed last time."""
    ends = ((unit, shown.get(unit, {})) for unit in units)
    return "".join(
        f"\n{unit}: {end['Result']}, exit status {end.get('ExecMainStatus', '')}"
        for unit, end in ends
        if end.get("Result", "success") != "success"
    )


def _said(*command: str) -> str:
    done = subprocess.run(  # noqa: S603  (our own words)
        command, check=True, capture_output=True, timeout=_PATIENCE_SECONDS
    )
    return done.stdout.decode(errors="replace")


def last_words(said: str, secrets: Path) -> str:
    """The end of `said`, cut after it was masked: half a secret would not be found."""
    if len(said) > _READ:
        said = said[-_READ:].partition("\n")[2]
    return masked(said, _values(secrets))[-JOURNAL_BYTES:]


def _values(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.read_bytes().decode(errors="replace")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
