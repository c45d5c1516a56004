"""The last log lines of a host that did not come up: its units' or, where it never reported, its
console's.

The run's log shows them to whoever may read it, which in a public repository is everyone.
"""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from fleet_control import last_words
from fleet_control.last_words import LastWords
from fleet_control.machine import error_code
from fleet_control.mask import masked
from workflows.fleet_deploy.stopped import Stopped

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

VARIABLE = "FLEET_JOURNAL"
# Characters that a run's log gets.
MOST = 8192
_ON_OR_OFF = {"": True, "on": True, "off": False}

log = logging.getLogger(__name__)


def is_heard(environ: Mapping[str, str]) -> bool:
    """Whether the run may repeat a host's words; Stopped where the variable is neither."""
    said = environ.get(VARIABLE, "")
    if said not in _ON_OR_OFF:
        why = f"{VARIABLE} is {said[:20]!r}; it must be on, off or not set."
        raise Stopped("Not set up", f"{why} See docs/set-up.md.")
    return _ON_OR_OFF[said]


def told(instance: str, said: str) -> LastWords | None:
    """Write what a host said into the run's log, masked once more; its last few lines.

    No line there begins as the host would have it: a log's lines can mean something to GitHub.
    """
    plain = masked(said)[-MOST:].strip()
    if plain:
        lines = "\n".join(f"| {line}" for line in plain.split("\n"))
        log.error("fleet.last_words instance=%s\n%s", instance, lines)
    return last_words.last(instance, plain)


def console(ec2: "EC2Client", machine: str) -> str:
    """The end of what this machine wrote on its console, or nothing where that can't be had."""
    for latest in (True, False):
        try:
            answer = ec2.get_console_output(InstanceId=machine, Latest=latest)
        except ClientError as error:
            code = error_code(error)
            log.warning("fleet.no_console machine=%s latest=%s code=%s", machine, latest, code)
        except (BotoCoreError, ResponseParserError, ValueError) as error:
            log.warning("fleet.no_console machine=%s why=%s", machine, type(error).__name__)
        else:
            if said := answer.get("Output", ""):
                return said
    return ""
