"""A front before moto's server: it passes everything on, but for what the test says otherwise."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qs

from tests.http_server import listening

_REFUSALS = {
    "ec2": (403, b"<Response><Errors><Error><Code>AuthFailure</Code></Error></Errors></Response>"),
    "ssm": (400, b'{"__type":"AccessDeniedException","message":"no"}'),
}


@dataclass
class Front:
    """The server, and what it does not pass on.

    Attributes:
        refused: actions that are refused, each from when another was asked (empty: from the start).
        service: what SSM tells of any host's service, a status and the host's words each time;
            the last ever after.
        asked: every action, in the order they came.
    """

    moto: str
    url: str = ""
    refused: dict[str, str] = field(default_factory=dict)
    service: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def answer(
        self, path: str, headers: "Message[str, str]", body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        action, service = headers.get("X-Amz-Target", "").rpartition(".")[2], "ssm"
        if not action:
            action, service = parse_qs(body.decode()).get("Action", [""])[0], "ec2"
        after = self.refused.get(action)
        if after is not None and (not after or after in self.asked):
            status, said = _REFUSALS[service]
            return status, {}, said
        self.asked.append(action)
        status, said = _passed_on(self.moto + path, dict(headers), body)
        if action == "GetCommandInvocation" and self.service:
            word, words = self.service.pop(0) if len(self.service) > 1 else self.service[0]
            said = json.dumps({"Status": word, "StandardOutputContent": words}).encode()
        return status, {}, said


def _passed_on(url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, headers)  # noqa: S310  (our moto)
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310  (the same)
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@contextmanager
def before(moto: str) -> Iterator[Front]:
    front = Front(moto)

    with listening(front.answer) as front.url:
        yield front
