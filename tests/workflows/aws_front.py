"""A front before moto's server: it passes everything on, but for what the test says otherwise."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qs

from tests.fleet_control.aws import EMPTY
from tests.http_server import METHOD, listening

_REFUSALS = {
    "ec2": (403, b"<Response><Errors><Error><Code>AuthFailure</Code></Error></Errors></Response>"),
    "ssm": (400, b'{"__type":"AccessDeniedException","message":"no"}'),
}
_ERROR = "<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors></Response>"
_CONSOLE = "<GetConsoleOutputResponse><output>{}</output></GetConsoleOutputResponse>"


@dataclass
class AwsFront:
    """The server, and what it does not pass on.

    Attributes:
        refused: actions that are refused, each from when another was asked (empty: from the start).
        hidden: actions that show nothing, each likewise.
        garbled: actions that are answered with what nobody can read, each likewise.
        hides_ids: whether they show nothing of an id that they are asked for, either.
        hides: for how many answers that lasts; None for ever.
        quota: how many vCPUs Service Quotas says may run; None where it is moto's to answer.
        dry_run: what EC2 says to a dry run of a launch, a code and words.
        service: what SSM tells of any host's service, a status and the host's words each time;
            the last ever after.
        console: what a machine's console shows, by whether the latest is asked for, which not every
            type has; None where it is moto's to answer.
        asked: every action, in the order they came.
    """

    moto: str
    refused: dict[str, str] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    garbled: dict[str, str] = field(default_factory=dict)
    hides_ids: bool = True
    hides: int | None = None
    quota: float | None = None
    dry_run: tuple[str, str] | None = None
    service: list[tuple[str, str]] = field(default_factory=list)
    console: dict[bool, str] | None = None
    asked: list[str] = field(default_factory=list)

    def answer(
        self, path: str, headers: "Message[str, str]", body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if "/s3/aws4_request" in headers.get("Authorization", ""):
            status, said = _passed_on(self.moto + path, dict(headers), body)
            return status, {}, said
        action, service = headers.get("X-Amz-Target", "").rpartition(".")[2], "ssm"
        query = {} if action else parse_qs(body.decode())
        if query:
            action, service = query.get("Action", [""])[0], "ec2"
        if self._is(self.refused, action):
            status, said = _REFUSALS[service]
            return status, {}, said
        hides = self._is(self.hidden, action) and (self.hides_ids or "InstanceId.1" not in query)
        self.asked.append(action)
        if hides and self.hides != 0:
            self.hides = None if self.hides is None else self.hides - 1
            return 200, {}, EMPTY[action][1].encode()
        if own := self._own(action, query):
            return own
        status, said = _passed_on(self.moto + path, dict(headers), body)
        if action == "GetCommandInvocation" and self.service:
            word, words = self.service.pop(0) if len(self.service) > 1 else self.service[0]
            said = json.dumps({"Status": word, "StandardOutputContent": words}).encode()
        if self._is(self.garbled, action):
            said = b"<"
        return status, {}, said

    def _own(
        self, action: str, query: dict[str, list[str]]
    ) -> tuple[int, dict[str, str], bytes] | None:
        """What moto is not asked for."""
        if action == "GetConsoleOutput" and self.console is not None:
            return _shown(self.console.get(query.get("Latest") == ["true"]))
        if action == "GetServiceQuota" and self.quota is not None:
            return 200, {}, json.dumps({"Quota": {"Value": self.quota}}).encode()
        if "DryRun" in query and self.dry_run:
            return 400, {}, _ERROR.format(*self.dry_run).encode()
        return None

    def _is(self, from_when: dict[str, str], action: str) -> bool:
        after = from_when.get(action)
        return after is not None and (not after or after in self.asked)


def _shown(console: str | None) -> tuple[int, dict[str, str], bytes]:
    if console is None:
        return 400, {}, _ERROR.format("UnsupportedOperation", "no latest console").encode()
    said = base64.b64encode(console.encode()).decode()
    return 200, {}, _CONSOLE.format(said).encode()


def _passed_on(url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    method = headers.pop(METHOD)
    request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310  (our moto)
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310  (the same)
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@dataclass
class FrontDoor:
    """Where a front is asked; each test has a front of its own there."""

    front: AwsFront
    url: str = ""

    def answer(
        self, path: str, headers: "Message[str, str]", body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        return self.front.answer(path, headers, body)


@contextmanager
def before(moto: str) -> Iterator[FrontDoor]:
    door = FrontDoor(AwsFront(moto))

    with listening(door.answer) as door.url:
        yield door
