"""Wait until a new host is healthy: its status checks, then its service. Each has a deadline."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from workflows.fleet_deploy.stop import Stopped

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

DOCUMENT = "clawdinator-service-active"
# The document itself gives up after 20 s, and is not delivered later than after 30.
ANSWER_SECONDS = 60.0
_DELIVERY_SECONDS = 30
_UNDECIDED = ("Pending", "InProgress", "Delayed", "Cancelling")
_UNSAFE = re.compile(r"[^\w. -]+")


class Time(Protocol):
    def now(self) -> float:
        """Unix time."""
        ...

    def sleep(self, seconds: float) -> None: ...


class SystemTime:
    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait, and how often to look; seconds."""

    deadline: float
    poll: float


def read_pace(environ: Mapping[str, str]) -> Pace:
    """The pace that the runner's environment sets; Stopped if it is no number."""
    return Pace(
        deadline=_seconds(environ, "FLEET_HEALTH_DEADLINE", 900.0),
        poll=_seconds(environ, "FLEET_HEALTH_POLL", 10.0),
    )


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name)
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 86400:
        raise Stopped("Not set up", f"{name} is {text[:20]!r}; it must be seconds, such as 900.")
    return seconds


def wait(look: Callable[[], str], pace: Pace, clock: Time) -> str:
    """Look until there is nothing to wait for; what was still missing at the deadline, or nothing.

    `look` says what is missing, or nothing. It is asked once at least.
    """
    until = clock.now() + pace.deadline
    while missing := look():
        if clock.now() >= until:
            return missing
        clock.sleep(pace.poll)
    return ""


@dataclass(frozen=True, slots=True)
class Service:
    """The service on a host, asked through SSM by a document that takes no parameters."""

    ssm: "SSMClient"
    clock: Time
    poll: float = 2.0

    def trouble(self, machine: str) -> str:
        """Ask once: why the service does not count as active, or nothing.

        Stopped where asking again would not help.
        """
        try:
            command = self._send(machine)
        except self.ssm.exceptions.InvalidInstanceId:
            return "its SSM agent does not answer yet"
        except ClientError as error:
            if _may_pass(error):
                return f"SSM is busy ({_code(error)})"
            raise Stopped("SSM refused", _refusal(error)) from error
        except (BotoCoreError, ResponseParserError, KeyError) as error:
            return f"SSM can't be reached ({error})"
        until = self.clock.now() + ANSWER_SECONDS
        while True:
            status, said = self._invocation(command, machine)
            if status == "Success":
                return ""
            if status not in _UNDECIDED:
                return f"its service is {_words(said) or 'not active'} ({status})"
            if self.clock.now() >= until:
                return "it does not say whether its service is active"
            self.clock.sleep(self.poll)

    def _send(self, machine: str) -> str:
        answer = self.ssm.send_command(
            DocumentName=DOCUMENT, InstanceIds=[machine], TimeoutSeconds=_DELIVERY_SECONDS
        )
        return answer["Command"]["CommandId"]

    def _invocation(self, command: str, machine: str) -> tuple[str, str]:
        try:
            answer = self.ssm.get_command_invocation(CommandId=command, InstanceId=machine)
        except self.ssm.exceptions.InvocationDoesNotExist:
            return "Pending", ""
        except ClientError as error:
            if _may_pass(error):
                return "Pending", ""
            raise Stopped("SSM refused", _refusal(error)) from error
        except (BotoCoreError, ResponseParserError):
            return "Pending", ""
        return answer.get("Status", "Pending"), answer.get("StandardOutputContent", "")


def _words(said: str) -> str:
    """The first of a host's own words that are safe to repeat."""
    return _UNSAFE.sub(" ", said)[:40].strip()


def _may_pass(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or _code(error).startswith("Throttl")


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "an unknown error")


def _refusal(error: ClientError) -> str:
    why = error.response.get("Error", {}).get("Message", "no reason given")
    return f"I can't ask whether the service is active: SSM says {_code(error)} ({why})."
