"""Wait until a new host is healthy: its status checks, then its own answer, by one deadline."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from fleet_control import host_answer
from fleet_control.error import Ec2Error
from fleet_control.host_answer import HostAnswer
from fleet_control.machine import ec2_errors, error_code
from fleet_control.status import IN_PROGRESS_SECONDS
from workflows.fleet_deploy import health_report
from workflows.fleet_deploy.health_report import HealthReport, ReportError
from workflows.fleet_deploy.stopped import Stopped

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ssm import SSMClient

DOCUMENT = "clawdinator-health"
# The document itself gives up after 20 s, and is not delivered later than after 30.
ANSWER_SECONDS = 60.0
_DELIVERY_SECONDS = 30
STEADY_SECONDS = 120.0
_UNSEEN = "Unseen"  # ours: SSM did not show the command
_UNDECIDED = ("Pending", "InProgress", "Delayed", "Cancelling", _UNSEEN)
_APPLY_FIRST = (
    f"Apply `tofu/control` first: the SSM document `{DOCUMENT}`, by which a host is asked how "
    "it is, is not there, or this role may not see it."
)

log = logging.getLogger(__name__)


class HostUnasked(ReportError):
    """The host could not be asked, and SSM is why."""


class Time(Protocol):
    def now(self) -> float:
        """Unix time, which may be set back."""
        ...

    def monotonic(self) -> float:
        """For waits; never set back."""
        ...

    def sleep(self, seconds: float, /) -> None: ...


class SystemTime:
    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)


@dataclass(frozen=True, slots=True)
class Polling:
    """How long to wait, and how often to look; seconds.

    Attributes:
        steady: for how long a host's units have to have been active.
    """

    deadline: float
    poll: float
    steady: float = STEADY_SECONDS


def read_pace(environ: Mapping[str, str], deadline: float = IN_PROGRESS_SECONDS) -> Polling:
    """The pace that the runner's environment sets, and `deadline` where it sets none; Stopped if it
    is no number."""
    return Polling(
        deadline=_seconds(environ, "FLEET_HEALTH_DEADLINE", deadline),
        poll=_seconds(environ, "FLEET_HEALTH_POLL", 10.0),
        steady=_seconds(environ, "FLEET_STEADY_SECONDS", STEADY_SECONDS),
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


def wait(look: Callable[[], str], pace: Polling, clock: Time) -> str:
    """Look until there is nothing to wait for; what was still missing at the deadline, or nothing.

    `look` says what is missing, or nothing. It is asked once at least.
    """
    until = clock.monotonic() + pace.deadline
    while missing := look():
        if clock.monotonic() >= until:
            return missing
        clock.sleep(pace.poll)
    return ""


@dataclass(frozen=True, slots=True)
class HostHealth:
    """Asks a host through SSM how it is, by a document that takes no parameters."""

    ssm: "SSMClient"
    clock: Time
    poll: float = 2.0

    def refuse_an_old_control(self) -> None:
        """Stopped where the account has no such document, or does not let this role see it."""
        try:
            self.ssm.describe_document(Name=DOCUMENT)
        except ClientError as error:
            if error_code(error) in ("InvalidDocument", "AccessDeniedException"):
                raise Stopped("Not set up", _APPLY_FIRST) from error
            raise Stopped("SSM refused", _refusal(error)) from error
        except (BotoCoreError, ResponseParserError) as error:
            raise Stopped("SSM is silent", f"SSM can't be reached ({error}).") from error

    def ask(self, machine: str) -> HealthReport:
        """Ask once. ReportError says why there is no answer yet.

        Stopped where asking again would not help.
        """
        try:
            sent = self.ssm.send_command(
                DocumentName=DOCUMENT, InstanceIds=[machine], TimeoutSeconds=_DELIVERY_SECONDS
            )
            command = sent["Command"]["CommandId"]
        except self.ssm.exceptions.InvalidInstanceId as error:
            raise ReportError("its SSM agent does not answer yet") from error
        except ClientError as error:
            if _may_pass(error):
                raise HostUnasked(f"SSM is busy ({error_code(error)})") from error
            raise Stopped("SSM refused", _refusal(error)) from error
        except (BotoCoreError, ResponseParserError, KeyError) as error:
            raise HostUnasked(f"SSM can't be reached ({error})") from error
        return health_report.read(self._said(command, machine))

    def _said(self, command: str, machine: str) -> str:
        until = self.clock.monotonic() + ANSWER_SECONDS
        while True:
            status, said = self._invocation(command, machine)
            if status == "Success":
                return said
            if status not in _UNDECIDED:
                # Its own words could be read as ours, such as what it ran before.
                raise ReportError(f"can't say how it is ({status})")
            if self.clock.monotonic() >= until:
                if status == _UNSEEN:
                    raise HostUnasked("SSM does not tell what the host says")
                raise ReportError("does not say in time how it is")
            self.clock.sleep(self.poll)

    def _invocation(self, command: str, machine: str) -> tuple[str, str]:
        try:
            answer = self.ssm.get_command_invocation(CommandId=command, InstanceId=machine)
        except self.ssm.exceptions.InvocationDoesNotExist:
            return "Pending", ""
        except ClientError as error:
            if _may_pass(error):
                return _UNSEEN, ""
            raise Stopped("SSM refused", _refusal(error)) from error
        except (BotoCoreError, ResponseParserError):
            return _UNSEEN, ""
        return answer.get("Status", _UNSEEN), answer.get("StandardOutputContent", "")


def note(ec2: "EC2Client", machine: str, answer: HostAnswer) -> str:
    """Tag the machine with what its host said of itself, which every status shows; why that could
    not be done, or nothing. No deploy fails by that."""
    tag = {"Key": host_answer.TAG, "Value": host_answer.write(answer)}
    try:
        with ec2_errors("CreateTags"):
            ec2.create_tags(Resources=[machine], Tags=[tag])  # type: ignore[list-item]  # its shape
    except Ec2Error as error:
        log.warning("fleet.not_noted machine=%s why=%s", machine, error)
        return f"What {machine} said of itself could not be noted for the status: {error}"
    return ""


def _may_pass(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or error_code(error).startswith("Throttl")


def _refusal(error: ClientError) -> str:
    why = error.response.get("Error", {}).get("Message", "no reason given")
    return f"I can't ask a host how it is: SSM says {error_code(error)} ({why})."
