"""moto's answers about hosts, told as their lives would have it."""

# What is parsed here comes from moto alone.
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime

from sandbox import host_life
from sandbox.ec2_query import Ec2Query, passes
from sandbox.host_life import CODES, Lives
from sandbox.moto_patch import STATE_FILTERS

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15"
STATUS_FILTERS = (
    *STATE_FILTERS,
    "instance-status.status",
    "instance-status.reachability",
    "system-status.status",
    "system-status.reachability",
)
_REACHABILITY = {
    host_life.OK: "passed",
    host_life.INITIALIZING: "initializing",
    host_life.IMPAIRED: "failed",
}
_NS = {"": NAMESPACE}


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def launched(answer: bytes, lives: Lives, unhealthy: set[str], now: float) -> bytes:
    """RunInstances: their lives begin."""
    root = ET.fromstring(answer)  # noqa: S314  (moto's)
    for host in root.findall("instancesSet/item", _NS):
        lives.begin(_text(host, "instanceId"), now, well=_name(host) not in unhealthy)
        _tell(host, lives, now)
    return _bytes(root)


def terminated(answer: bytes, lives: Lives, now: float) -> bytes:
    """TerminateInstances: their lives end, once."""
    root = ET.fromstring(answer)  # noqa: S314  (moto's)
    for host in root.findall("instancesSet/item", _NS):
        id_ = _text(host, "instanceId")
        real = _text(host, "previousState/name")
        before = lives.state(id_, real, now)
        lives.end(id_, now)
        _set_state(host, "previousState", before)
        _set_state(host, "currentState", lives.state(id_, real, now))
    return _bytes(root)


def described(answer: bytes, query: Ec2Query, lives: Lives, now: float) -> bytes:
    """DescribeInstances. A page may come out shorter than was asked, as EC2's may."""
    root = ET.fromstring(answer)  # noqa: S314  (moto's)
    filters = query.filters(STATE_FILTERS)
    for reservations, reservation in _items(root, "reservationSet"):
        for hosts, host in _items(reservation, "instancesSet"):
            state = _tell(host, lives, now)
            seen = {"instance-state-name": state, "instance-state-code": str(CODES[state])}
            if lives.forgotten(_text(host, "instanceId"), now) or not passes(seen, filters):
                hosts.remove(host)
        if reservation.find("instancesSet/item", _NS) is None:
            reservations.remove(reservation)
    return _bytes(root)


def statuses(answer: bytes, query: Ec2Query, lives: Lives, now: float) -> bytes:
    """DescribeInstanceStatus; paged here, since moto has only one page."""
    root = ET.fromstring(answer)  # noqa: S314  (moto's)
    filters = query.filters(STATUS_FILTERS)
    for all_, one in _items(root, "instanceStatusSet"):
        seen = _tell_status(one, lives, now)
        running = seen["instance-state-name"] == host_life.RUNNING
        forgotten = lives.forgotten(_text(one, "instanceId"), now)
        if forgotten or not (running or query.include_all) or not passes(seen, filters):
            all_.remove(one)
    _cut_page(root, query)
    return _bytes(root)


def _cut_page(root: ET.Element, query: Ec2Query) -> None:
    """Leave one page; a page's token is the last id that was on the one before."""
    kept = list(_items(root, "instanceStatusSet"))
    ids = [_text(one, "instanceId") for _, one in kept]
    start = ids.index(query.token) + 1 if query.token in ids else 0
    stop = start + query.most if query.most else len(ids)
    for all_, one in (*kept[:start], *kept[stop:]):
        all_.remove(one)
    if stop < len(ids):
        ET.SubElement(root, _tag("nextToken")).text = ids[stop - 1]


def _tell(host: ET.Element, lives: Lives, now: float) -> str:
    """Write a host's state and launch time as its life has them; the state."""
    id_ = _text(host, "instanceId")
    state = lives.state(id_, _text(host, "instanceState/name"), now)
    _set_state(host, "instanceState", state)
    begun, launch_time = lives.of(id_).launched, host.find("launchTime", _NS)
    if begun is not None and launch_time is not None:
        launch_time.text = f"{datetime.fromtimestamp(begun, UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    return state


def _tell_status(one: ET.Element, lives: Lives, now: float) -> dict[str, str]:
    """Write a host's checks as its life has them; what the filters may ask about.

    It is the host's own check that fails: its hardware's never does.
    """
    id_, real = _text(one, "instanceId"), _text(one, "instanceState/name")
    state, checks = lives.state(id_, real, now), lives.checks(id_, real, now)
    system = host_life.OK if checks == host_life.IMPAIRED else checks
    _set_state(one, "instanceState", state)
    _set_checks(one, "systemStatus", system)
    _set_checks(one, "instanceStatus", checks)
    return {
        "instance-state-name": state,
        "instance-state-code": str(CODES[state]),
        "instance-status.status": checks,
        "instance-status.reachability": _REACHABILITY.get(checks, ""),
        "system-status.status": system,
        "system-status.reachability": _REACHABILITY.get(system, ""),
    }


def _set_state(host: ET.Element, where: str, state: str) -> None:
    element = host.find(where, _NS)
    if element is not None:
        element.clear()
        ET.SubElement(element, _tag("code")).text = str(CODES[state])
        ET.SubElement(element, _tag("name")).text = state


def _set_checks(one: ET.Element, where: str, checks: str) -> None:
    element = one.find(where, _NS)
    if element is None:
        element = ET.SubElement(one, _tag(where))
    element.clear()
    ET.SubElement(element, _tag("status")).text = checks
    if checks in _REACHABILITY:
        item = ET.SubElement(ET.SubElement(element, _tag("details")), _tag("item"))
        ET.SubElement(item, _tag("name")).text = "reachability"
        ET.SubElement(item, _tag("status")).text = _REACHABILITY[checks]


def _items(parent: ET.Element, where: str) -> Iterator[tuple[ET.Element, ET.Element]]:
    """Each item of a set, with the set: what is found may be removed meanwhile."""
    all_ = parent.find(where, _NS)
    for one in list(all_) if all_ is not None else ():
        if all_ is not None:
            yield all_, one


def _name(host: ET.Element) -> str:
    for tag in host.findall("tagSet/item", _NS):
        if _text(tag, "key") == "Name":
            return _text(tag, "value")
    return ""


def _text(element: ET.Element, where: str) -> str:
    return element.findtext(where, "", _NS)


def _bytes(root: ET.Element) -> bytes:
    body: bytes = ET.tostring(
        root, encoding="utf-8", xml_declaration=True, default_namespace=NAMESPACE
    )
    return body
