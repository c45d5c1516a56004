"""Which machines the engine's state knows."""

from typing import Any

import pytest

from tests.workflows.plans import ONE, TWO
from workflows.fleet_deploy.state import machines_of
from workflows.fleet_deploy.stopped import Stopped


def state(*resources: object) -> dict[str, Any]:
    return {"format_version": "1.0", "values": {"root_module": {"resources": list(resources)}}}


def resource(id_: object, machine: object, **more: object) -> dict[str, Any]:
    return {
        "address": f'aws_instance.clawdinator["{id_}"]',
        "mode": "managed",
        "type": "aws_instance",
        "name": "clawdinator",
        "index": id_,
        "values": {"id": machine, "ami": "ami-1"},
        **more,
    }


def test_each_hosts_machine_is_known_and_nothing_else() -> None:
    shown = state(
        resource(ONE, "i-1"),
        resource(TWO, "i-2"),
        resource("x", "other", name="other"),
        resource("x", "data", mode="data"),
        resource("x", "sg-1", type="aws_security_group", index=None),
    )

    assert machines_of(shown) == {"i-1": ONE, "i-2": TWO}


def test_what_an_earlier_apply_could_not_remove_is_known_too() -> None:
    shown = state(resource(ONE, "i-1"), resource(ONE, "i-0", deposed_key="0a1b2c3d"))

    assert machines_of(shown) == {"i-1": ONE, "i-0": ONE}


@pytest.mark.parametrize(
    "shown",
    [
        {"format_version": "1.0"},
        {"format_version": "1.0", "values": None},
        {"format_version": "1.0", "values": {"root_module": {}}},
    ],
)
def test_a_state_that_was_never_written_knows_none(shown: object) -> None:
    assert machines_of(shown) == {}


@pytest.mark.parametrize(
    "shown",
    [
        None,
        [],
        {},
        {"format_version": "2.0"},
        {"format_version": "1.0", "values": 3},
        state(3),
        state({"mode": "managed"}),
        state(resource(ONE, None)),
        state(resource(None, "i-1")),
        state(resource(ONE, "i-1", values={})),
    ],
)
def test_what_can_not_be_read_stops_the_run(shown: object) -> None:
    with pytest.raises(Stopped, match="can't tell which hosts it knows"):
        machines_of(shown)
