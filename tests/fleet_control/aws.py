"""An EC2 on loopback that answers what it is told to, in AWS's own XML."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.utils import formatdate
from threading import Lock
from urllib.parse import parse_qs

from tests.http_server import listening

Scripted = tuple[int, str]


def _at_once() -> None:
    """Answer without waiting for anything."""


@dataclass
class FakeEc2:
    """The server, and what it was asked.

    Attributes:
        scripts: an action's answers, the next one first; the last is given ever after.
        asked: every request's parameters, in the order they came.
        hold: called before each answer, and may wait.
        off: by how many seconds its own clock is ahead.
        there: the only machines that it knows by their ids; None where the scripts tell.
    """

    url: str = ""
    scripts: dict[str, list[Scripted]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    hold: Callable[[], object] = _at_once
    there: Collection[str] | None = None
    off: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def answer(self, body: str) -> Scripted:
        parameters = {name: values[0] for name, values in parse_qs(body).items()}
        with self.lock:
            self.asked.append(parameters)
            script = self.scripts.get(parameters["Action"]) or [EMPTY[parameters["Action"]]]
            scripted = script.pop(0) if len(script) > 1 else script[0]
        if "Filter.1.Value.201" in parameters or int(parameters.get("MaxResults", 0)) > 1000:
            scripted = error(400, "InvalidParameterValue")
        ids = {value for name, value in parameters.items() if name.startswith("InstanceId.")}
        if self.there is not None and not ids <= set(self.there):
            scripted = error(400, "InvalidInstanceID.NotFound")
        self.hold()
        return scripted

    def forget(self) -> None:
        self.scripts.clear()
        self.asked.clear()
        self.hold = _at_once
        self.there = None
        self.off = 0.0

    @property
    def is_held(self) -> bool:
        return self.hold is not _at_once

    @property
    def counts(self) -> Counter[str]:
        return Counter(parameters["Action"] for parameters in self.asked)

    def always(self, scripted: Scripted) -> None:
        for action in EMPTY:
            self.scripts[action] = [scripted]


@contextmanager
def serving() -> Iterator[FakeEc2]:
    aws = FakeEc2()

    def answer(
        _path: str, headers: "Message[str, str]", body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        # Service Quotas has its action in a header, and JSON in its body.
        target = headers.get("X-Amz-Target", "").rpartition(".")[2]
        status, text = aws.answer(f"Action={target}" if target else body.decode())
        date = formatdate(time.time() + aws.off, usegmt=True)
        told = {"Content-Type": "text/xml;charset=UTF-8", "Date": date}
        return status, told, text.encode()

    with listening(answer) as aws.url:
        yield aws


def _response(action: str, inner: str) -> Scripted:
    return 200, (
        f'<?xml version="1.0" encoding="UTF-8"?><{action}Response '
        f'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>x</requestId>{inner}'
        f"</{action}Response>"
    )


EMPTY = {
    "DescribeInstances": _response("DescribeInstances", "<reservationSet/>"),
    "DescribeInstanceStatus": _response("DescribeInstanceStatus", "<instanceStatusSet/>"),
    "DescribeImages": _response("DescribeImages", "<imagesSet/>"),
    "GetServiceQuota": (400, '{"__type": "NoSuchResourceException"}'),
}


def error(status: int, code: str, message: str = "As you might expect.") -> Scripted:
    return status, (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>'
        f"<Code>{code}</Code><Message>{message}</Message>"
        "</Error></Errors><RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>"
    )


def instances(
    *ids: str,
    more: str = "",
    state: str = "running",
    reason: str = "",
    revision: str = "",
    answer: str = "",
) -> Scripted:
    """A page of machines; `more` is the token of the next one, `reason` why it is not running."""
    told = {"revision": revision, "answer": answer}.items()
    tags = "".join(f"<item><key>{k}</key><value>{v}</value></item>" for k, v in told if v)
    items = "".join(
        f"<item><instancesSet><item><instanceId>{id_}</instanceId><imageId>ami-1</imageId>"
        f"<instanceState><code>16</code><name>{state}</name></instanceState>"
        f"<reason>{reason}</reason>"
        "<instanceType>t3.large</instanceType><launchTime>2026-11-20T08:00:00.000Z</launchTime>"
        "<privateIpAddress>10.0.0.7</privateIpAddress>"
        f"<tagSet><item><key>Name</key><value>claw-{id_[2:]}</value></item>{tags}</tagSet>"
        "</item></instancesSet></item>"
        for id_ in ids
    )
    return _response("DescribeInstances", f"<reservationSet>{items}</reservationSet>{_token(more)}")


def checks(
    system: str, instance: str, *ids: str, more: str = "", disks: str = "", events: str = ""
) -> Scripted:
    """A page of status checks, the same for all these machines; `events` as `event` makes them."""
    attached = f"<attachedEbsStatus><status>{disks}</status></attachedEbsStatus>" if disks else ""
    items = "".join(
        f"<item><instanceId>{id_}</instanceId><instanceState><name>running</name></instanceState>"
        f"<systemStatus><status>{system}</status></systemStatus>"
        f"<instanceStatus><status>{instance}</status></instanceStatus>{attached}"
        f"<eventsSet>{events}</eventsSet></item>"
        for id_ in ids
    )
    return _response(
        "DescribeInstanceStatus", f"<instanceStatusSet>{items}</instanceStatusSet>{_token(more)}"
    )


def event(code: str, description: str = "Planned", before: str = "2026-12-11T10:00:00Z") -> str:
    """What is planned for a machine, and not before when."""
    when = f"<notBefore>{before}</notBefore>" if before else ""
    return f"<item><code>{code}</code><description>{description}</description>{when}</item>"


def image(id_: str, created: str) -> Scripted:
    return _response(
        "DescribeImages",
        f"<imagesSet><item><imageId>{id_}</imageId><name>{id_}</name>"
        f"<creationDate>{created}</creationDate></item></imagesSet>",
    )


def _token(more: str) -> str:
    return f"<nextToken>{more}</nextToken>" if more else ""
