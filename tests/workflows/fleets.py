"""A fleet as EC2 might show it, made by hand."""

import json
from collections.abc import Iterable

from fleet_control.host import Health, Host, HostState, Image, Reading
from fleet_control.registry import Registry, parse
from fleet_control.registry_source import KnownRegistry
from workflows.fleet_deploy.cloud import FleetView, seen

NOW = 1_790_000_000.0
NEW, OLD = "ami-0000000000000aaa0", "ami-0000000000000bbb0"
IMAGES = (Image(NEW, "new", NOW - 3600), Image(OLD, "old", NOW - 86400))


def registry(ids: Iterable[str]) -> Registry:
    return parse(registry_text(ids))


def registry_text(ids: Iterable[str]) -> str:
    return json.dumps(
        {
            id_: {
                "host": id_,
                "instanceType": "t3.large",
                "bootstrapPrefix": f"bootstrap/{id_}",
                "discordTokenSecret": f"{id_}-discord-token",
            }
            for id_ in ids
        },
        indent=2,
    )


def host(
    name: str,
    number: int,
    *,
    image: str = OLD,
    health: Health = Health.OK,
    state: HostState = HostState.RUNNING,
    launched: float = NOW - 7200,
    profile: str = "",
) -> Host:
    id_ = f"i-{number:08x}"
    return Host(id_, name, state, health, "t3.large", image, launched, profile=profile)


def view(ids: Iterable[str], *hosts: Host, images: tuple[Image, ...] = IMAGES) -> FleetView:
    known = KnownRegistry(registry(ids), "", NOW, fresh=True)
    return seen(known, Reading(hosts, images, NOW))
