"""Inputs are checked again; who speaks is who was named, or nobody."""

import pytest

from fleet_control.caller import BotInstance, Human, Unknown
from fleet_control.ledger import Entry
from workflows.fleet_deploy.github_account import Starter
from workflows.fleet_deploy.inputs import asker, carrier, read, speaker
from workflows.fleet_deploy.stopped import Stopped

GOOD = {
    "TARGET": "clawdinator-2",
    "AMI_OVERRIDE": "ami-00000001",
    "CALLER": "clawdinator-1",
    "REQUESTED_BY": "discord:80351110224678912 sam",
    "REQUEST_ID": "discord.clawdinator-1.123.456",
    "REPLY": "789",
}
CHAT, SAM = Starter("fleet-control[bot]", chat=True), Starter("sam", chat=False)
REGISTERED = ("clawdinator-1", "clawdinator-2")


def test_the_inputs_are_an_entry_of_the_ledger() -> None:
    assert Entry(
        request_id="discord.clawdinator-1.123.456",
        reply="789",
        target="clawdinator-2",
        ami_override="ami-00000001",
        caller="clawdinator-1",
        requested_by="discord:80351110224678912 sam",
    ) == read(GOOD, CHAT)


def test_a_target_is_enough() -> None:
    assert Entry(target="all") == read({"TARGET": "all", "CALLER": ""}, CHAT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TARGET", ""),
        ("TARGET", "clawdinator-2\nroll=[]"),
        ("TARGET", "$(id)"),
        ("AMI_OVERRIDE", "ami-1; id"),
        ("REVISION", "--all"),
        ("REVISION", "main"),
        ("REVISION", "012345"),
        ("CALLER", "All"),
        ("REQUESTED_BY", "sam"),
        ("REQUEST_ID", "discord.only.three"),
        ("REPLY", "no spaces here"),
    ],
)
def test_an_input_of_another_form_stops_the_run(name: str, value: str) -> None:
    with pytest.raises(Stopped, match=name.lower()):
        read(GOOD | {name: value}, CHAT)


def test_an_image_or_a_commit_is_named_and_never_both() -> None:
    asked = {name: value for name, value in GOOD.items() if name != "AMI_OVERRIDE"}

    assert read(asked | {"REVISION": "0123456"}, CHAT).revision == "0123456"
    with pytest.raises(Stopped, match="not both"):
        read(GOOD | {"REVISION": "0123456"}, CHAT)


@pytest.mark.parametrize("name", ["CALLER", "REQUESTED_BY", "REQUEST_ID", "REPLY"])
def test_whoever_presses_the_button_claims_no_chat(name: str) -> None:
    inputs = {"TARGET": "all", "AMI_OVERRIDE": GOOD["AMI_OVERRIDE"], name: GOOD[name]}

    assert read({**inputs, name: ""}, SAM) == Entry(target="all", ami_override="ami-00000001")
    with pytest.raises(Stopped, match=f"`sam`, who pressed .* must leave {name.lower()} empty"):
        read(inputs, SAM)


def test_all_wrong_inputs_are_named_at_once() -> None:
    with pytest.raises(Stopped, match=r"target is '!'.*caller is '!'"):
        read(GOOD | {"TARGET": "!", "CALLER": "!"}, CHAT)


def test_a_bot_instance_speaks_as_itself() -> None:
    assert BotInstance("clawdinator-1") == speaker(read(GOOD, CHAT), CHAT, REGISTERED)


def test_a_person_was_vouched_for_where_they_could_be_seen() -> None:
    person = speaker(read(GOOD | {"CALLER": ""}, CHAT), CHAT, REGISTERED)

    assert Human("discord:80351110224678912", "sam", operator=True) == person


def test_who_presses_the_button_on_github_is_a_person() -> None:
    assert Human("github:sam", operator=True) == speaker(Entry(target="all"), SAM, REGISTERED)


def test_a_caller_outside_the_registry_is_unknown() -> None:
    assert isinstance(speaker(read(GOOD, CHAT), CHAT, ["clawdinator-2"]), Unknown)


@pytest.mark.parametrize("caller", ["", "clawdinator-2"])
def test_an_agents_request_speaks_for_no_one_else(caller: str) -> None:
    entry = read(GOOD | {"CALLER": caller, "REQUEST_ID": "agent.clawdinator-1.shell.456"}, CHAT)

    assert isinstance(speaker(entry, CHAT, REGISTERED), Unknown)


def test_the_carrier_is_the_bot_that_heard() -> None:
    assert [carrier(read(GOOD, CHAT)), carrier(Entry(target="all"))] == ["clawdinator-1", ""]


def test_the_asker_is_named_as_well_as_can_be() -> None:
    asked = Entry(target="all", requested_by="discord:1 sam")

    assert asker(asked._replace(caller="clawdinator-1"), CHAT) == "clawdinator-1"
    assert asker(asked, CHAT) == "discord:1 sam"
    assert asker(Entry(target="all"), SAM) == "sam (on GitHub)"


def test_of_a_long_input_forty_characters_are_told() -> None:
    with pytest.raises(Stopped, match=r"target is '!{40}'"):
        read({"TARGET": "!" * 99}, CHAT)
