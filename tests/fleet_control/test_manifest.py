"""What is said of a bundle, and whether a host could live by it."""

import json
from typing import Any

import pytest

from fleet_control.error import ManifestError
from fleet_control.manifest import Manifest, lacks, needed, read, write
from fleet_control.registry import Instance

ONE = "clawdinator-1"
SUM = "0123456789abcdef" * 4


def entry(**more: Any) -> Instance:
    first = {
        "host": ONE,
        "instanceType": "t3.large",
        "bootstrapPrefix": f"bootstrap/{ONE}",
        "discordTokenSecret": "discord-token",
    }
    return Instance.model_validate({**first, **more}, by_alias=True)


def manifest(of: Instance, **other: Any) -> Manifest:
    said: dict[str, Any] = {
        "instance": ONE,
        "bootstrap_prefix": of.bootstrap_prefix,
        "files": {f"{name}.age": SUM for name in needed(of)},
        "archive": SUM,
    }
    return Manifest(**{**said, **other})


def test_what_is_written_is_read_and_has_the_names_of_its_contract() -> None:
    one = manifest(entry())

    assert read(write(one)) == one
    assert write(one) == write(read(write(one)))
    assert json.loads(write(one)) == {
        "version": 1,
        "instance": ONE,
        "bootstrapPrefix": f"bootstrap/{ONE}",
        "files": {f"{name}.age": SUM for name in needed(entry())},
        "archive": SUM,
    }


WHOLE = json.loads(write(manifest(entry())))


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"<html>",
        b"[]",
        *(
            json.dumps({**WHOLE, **change}).encode()
            for change in (
                {"version": 2},
                {"archive": SUM[:-1]},
                {"files": {"a.age": "no sum"}},
                {"files": ["a.age"]},
                {"instance": None},
                {"token": "x"},
            )
        ),
        json.dumps({key: one for key, one in WHOLE.items() if key != "bootstrapPrefix"}).encode(),
    ],
)
def test_anything_else_is_refused_in_a_sentence(wrong: bytes) -> None:
    with pytest.raises(ManifestError, match=r"^manifest\.json is not one of ours \(.+\)\.$"):
        read(wrong)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"telegramTokenSecret": "t"},
        {"clawbotDiscordTokenSecret": "b", "clawbotTelegramTokenSecret": "c"},
        {"agentSecrets": ["k", "pem"]},
    ],
)
def test_a_bundle_made_for_an_entry_lacks_nothing(more: dict[str, Any]) -> None:
    one = entry(**more)

    named = more.get("agentSecrets") or more.values()
    assert set(named) < set(needed(one))
    assert lacks(one, manifest(one), ONE) == ()
    # One secret too many is no fault: a rollback to an entry of fewer secrets boots.
    assert lacks(entry(), manifest(one), ONE) == ()


def test_each_fault_is_named_with_the_command_that_mends_it() -> None:
    newer = entry(
        telegramTokenSecret="telegram-token",
        clawbotDiscordTokenSecret="bots",
        agentSecrets=["app-pem"],
    )
    command = "Upload it anew with `clawbot bundle upload clawdinator-1`."

    assert lacks(newer, manifest(entry()), ONE) == (
        f"The bundle of {ONE} lacks bots, telegram-token, app-pem. {command}",
    )
    assert lacks(entry(), manifest(entry(), instance="claw"), ONE) == (
        f"The bundle of {ONE} was made for claw. {command}",
    )
    assert lacks(entry(bootstrapPrefix="bootstrap/b"), manifest(entry()), ONE) == (
        f"The bundle of {ONE} was made for bootstrap/{ONE}, and its entry says bootstrap/b. "
        f"{command}",
    )
    assert len(lacks(newer, manifest(newer, files={}), ONE)[0].split(", ")) == 9
