"""Registries, machines and runs made by hand."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from fleet_control.host import Health, Host, HostState, Image, Reading
from fleet_control.ledger import Run
from fleet_control.policy import RefusalCode
from fleet_control.registry import parse
from fleet_control.registry_source import KnownRegistry
from fleet_control.status import FleetStatus, shape
from tests.fleet_control.test_registry import entry

NOW = 1_790_000_000.0
DAY = 86_400.0
IDS = ("claw-1", "claw-2", "claw-3")
NEW = Image("ami-0000000000000aaa0", "new", NOW - DAY)
OLD = Image("ami-0000000000000bbb0", "old", NOW - 4 * DAY)
IMAGES = (NEW, OLD)


def registry_text(*ids: str) -> str:
    return json.dumps(
        {
            id_: entry(number, host=id_, bootstrapPrefix=f"bootstrap/{id_}")
            for number, id_ in enumerate(ids, 1)
        }
    )


def known(*ids: str) -> KnownRegistry:
    return KnownRegistry(parse(registry_text(*ids)), "v1", NOW, fresh=True)


def host(
    name: str,
    number: int = 1,
    *,
    state: HostState = HostState.RUNNING,
    health: Health = Health.OK,
    type_: str = "t3.large",
    image: str = NEW.id,
    launched: float = NOW - 3600,
    ill: str = "",
) -> Host:
    there = "192.0.2.1"
    return Host(f"i-{number:08x}", name, state, health, type_, image, launched, there, ill=ill)


def seen(ids: Iterable[str], *hosts: Host, images: tuple[Image, ...] = IMAGES) -> FleetStatus:
    return shape(known(*ids), Reading(hosts, images, NOW))


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def run(id_: int = 1, **changed: Any) -> Run:
    asked = Run(
        id=id_,
        url=f"https://github.test/runs/{id_}",
        status="completed",
        conclusion="success",
        target="claw-2",
        ami_override="",
        caller="",
        requested_by="discord:8035 sam",
        request_id=f"discord.demo.5.{id_}",
        reply="77",
        created="2026-09-21T13:00:00Z",
        started="2026-09-21T13:00:05Z",
        updated="2026-09-21T13:10:00Z",
    )
    return asked._replace(**changed)


def doubt(target: str, code: RefusalCode) -> str:
    """What a bot instance is told where only the run can see whether this refuses it."""
    return (
        f"When asked, EC2 called {target} healthy. I can't see whether its services run: the run "
        f"asks the host, and refuses where that is well (`{code}`)."
    )
