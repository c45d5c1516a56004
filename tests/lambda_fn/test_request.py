"""What may be asked, and in which words it is refused."""

import json
import re
from typing import Any

import pytest

from fleet_control.ledger import Entry
from lambda_fn.failure import Failure
from lambda_fn.request import ApiAction, ApiRequest, RawRequest, parse, payload, read
from tests.lambda_fn.events import AGENT_1, CONTROL_TOKEN, by_person, function_url, iam

SAM = "discord:1 sam"
TOPIC = "telegram:-1001234567890/5"
ANNOUNCE = {"action": "announce", "run_id": 7, "channel": TOPIC, "bot": "B_" * 16}
WATCH = {"action": "watch", "channel": TOPIC, "bot": "x"}
CHANNELS_FORM = "discord:<channel> or telegram:<chat>, there with /<topic>"


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"action": "registry"}, ApiRequest(ApiAction.REGISTRY, Entry(), 0, 10, unfinished=False)),
        (
            {"action": "run", "run_id": 7},
            ApiRequest(ApiAction.RUN, Entry(), 7, 10, unfinished=False),
        ),
        (
            {"action": "runs", "limit": 3, "request_id": "agent.x.a.b", "unfinished": True},
            ApiRequest(ApiAction.RUNS, Entry("agent.x.a.b"), 0, 3, unfinished=True),
        ),
        (
            {"action": "cancel", "run_id": 2**63, "requested_by": "discord:1 sam"},
            ApiRequest(
                ApiAction.CANCEL, Entry(requested_by="discord:1 sam"), 2**63, 10, unfinished=False
            ),
        ),
        (
            {"action": "told", "request_id": "discord.x.a.b", "end": "done"},
            ApiRequest(ApiAction.TOLD, Entry("discord.x.a.b"), 0, 10, unfinished=False, end="done"),
        ),
        (
            {"action": "deploy", "target": "all", "ami_override": None, "reply": ""},
            ApiRequest(ApiAction.DEPLOY, Entry(target="all"), 0, 10, unfinished=False),
        ),
        (
            {"action": "deploy", "target": "all", "revision": "a1b2c3d"},
            ApiRequest(
                ApiAction.DEPLOY, Entry(target="all", revision="a1b2c3d"), 0, 10, unfinished=False
            ),
        ),
        ({"action": "holds"}, ApiRequest(ApiAction.HOLDS, Entry(), 0, 10, unfinished=False)),
        (
            {"action": "freeze", "seconds": 604800, "reason": " a \n`move`  ", "requested_by": SAM},
            ApiRequest(
                ApiAction.FREEZE,
                Entry(requested_by=SAM),
                0,
                10,
                unfinished=False,
                duration=604800,
                reason="a 'move'",
            ),
        ),
        (
            {"action": "freeze", "requested_by": SAM, "reason": "x" * 101},
            ApiRequest(
                ApiAction.FREEZE,
                Entry(requested_by=SAM),
                0,
                10,
                unfinished=False,
                duration=4 * 3600,
                reason="x" * 99 + "…",
            ),
        ),
        (
            {"action": "unfreeze", "requested_by": SAM},
            ApiRequest(ApiAction.UNFREEZE, Entry(requested_by=SAM), 0, 10, unfinished=False),
        ),
        (
            {"action": "living", "request_id": "discord.x.a.b"},
            ApiRequest(ApiAction.LIVING, Entry("discord.x.a.b"), 0, 10, unfinished=False),
        ),
        (
            {"action": "announce", "run_id": 7, "channel": "discord:9", "bot": "x"},
            ApiRequest(
                ApiAction.ANNOUNCE, Entry(), 7, 10, unfinished=False, channel="discord:9", bot="x"
            ),
        ),
        (
            {**ANNOUNCE, "message": "5" * 20, "end": "done"},
            ApiRequest(
                ApiAction.ANNOUNCE,
                Entry(),
                7,
                10,
                unfinished=False,
                end="done",
                channel=TOPIC,
                bot="B_" * 16,
                message="5" * 20,
            ),
        ),
        (
            {"action": "watch", "channel": TOPIC, "bot": "x"},
            ApiRequest(ApiAction.WATCH, Entry(), 0, 10, unfinished=False, channel=TOPIC, bot="x"),
        ),
        (
            {**WATCH, "state": "é" * 6000, "version": 2**53},
            ApiRequest(
                ApiAction.WATCH,
                Entry(),
                0,
                10,
                unfinished=False,
                channel=TOPIC,
                bot="x",
                state="é" * 6000,
                version=2**53,
            ),
        ),
    ],
)
def test_each_thing_can_be_asked(body: dict[str, Any], asked: ApiRequest) -> None:
    assert parse(body) == asked


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, "action"),
        ({"action": "status"}, "status"),
        ({"action": "DEPLOY"}, "action"),
        ({"action": "freeze", "seconds": 604801}, "seconds"),
        ({"action": "freeze", "seconds": 0}, "seconds"),
        ({"action": "freeze", "seconds": 60.0}, "seconds"),
        ({"action": "freeze", "reason": None}, "reason"),
        ({"action": "freeze", "requested_by": "sam"}, "requested_by"),
        ({"action": "unfreeze", "reason": "x"}, "takes action, requested_by"),
        ({"action": "holds", "run_id": 7}, "takes action"),
        ({"action": ["deploy"]}, "action"),
        ({"action": {}}, "action"),
        ({"action": "registry", "target": "all"}, "takes action"),
        (by_person(control_token="x"), "takes action, request_id, reply, target"),
        (by_person(target=""), "target"),
        (by_person(target=None), "target"),
        (by_person(target="a b"), "target"),
        (by_person(target=["all"]), "target"),
        (by_person(target="../x"), "target"),
        (by_person(caller="all"), "caller"),
        (by_person(caller=False), "caller"),
        (by_person(ami_override="ami-0"), "ami_override"),
        (by_person(ami_override="latest"), "ami_override"),
        (by_person(revision="a1b2c3"), "revision"),
        (by_person(revision="A1B2C3D"), "revision"),
        (by_person(revision="a" * 41), "revision"),
        (by_person(revision="main"), "revision"),
        (by_person(revision="a1b2c3d", ami_override="ami-01234567"), "exclude each other"),
        (by_person(reply="a b"), "reply"),
        (by_person(reply="1" * 21), "reply"),
        (by_person(request_id="x"), "request id"),
        (by_person(request_id="irc.b.c.d"), "request id"),
        (by_person(request_id=7), "must be <platform>.<bot>.<channel>.<asked>."),
        (by_person(request_id=["discord.b.c.d"]), "must be <platform>.<bot>"),
        (by_person(requested_by="sam"), "requested_by"),
        (by_person(requested_by="discord:1 a | b"), "requested_by"),
        (by_person(requested_by="discord:1 a\nb"), "requested_by"),
        ({"action": "run"}, "run_id"),
        ({"action": "run", "run_id": 0}, "run_id"),
        ({"action": "run", "run_id": True}, "run_id"),
        ({"action": "run", "run_id": "7"}, "run_id"),
        ({"action": "run", "run_id": 7.0}, "run_id"),
        ({"action": "run", "run_id": 2**63 + 1}, "run_id"),
        ({"action": "runs", "limit": 0}, "limit"),
        ({"action": "runs", "limit": 101}, "limit"),
        ({"action": "runs", "limit": None}, "limit"),
        ({"action": "runs", "unfinished": 1}, "unfinished"),
        ({"action": "runs", "unfinished": None}, "unfinished"),
        ({"action": "living"}, "request_id"),
        ({"action": "living", "request_id": ""}, "request id is"),
        ({"action": "living", "request_id": "discord.x.a.b", "bot": "x"}, "takes action, request"),
        ({"action": "announce", "channel": TOPIC, "bot": "x"}, "run_id"),
        ({"action": "announce", "run_id": 7, "bot": "x"}, CHANNELS_FORM),
        ({"action": "announce", "run_id": 7, "channel": TOPIC}, "the name that the chat key"),
        (ANNOUNCE | {"bot": "b" * 33}, "bot"),
        (ANNOUNCE | {"bot": "a b"}, "bot"),
        (ANNOUNCE | {"bot": ["x"]}, "bot"),
        (ANNOUNCE | {"channel": ""}, CHANNELS_FORM),
        (ANNOUNCE | {"channel": "terminal:1"}, CHANNELS_FORM),
        (ANNOUNCE | {"channel": "discord:1/2"}, CHANNELS_FORM),
        (ANNOUNCE | {"channel": "discord:01"}, CHANNELS_FORM),
        (ANNOUNCE | {"channel": "discord:1\n"}, CHANNELS_FORM),
        (ANNOUNCE | {"channel": f"discord:{'1' * 21}"}, CHANNELS_FORM),
        (ANNOUNCE | {"channel": f"telegram:-{'1' * 17}"}, CHANNELS_FORM),
        (ANNOUNCE | {"channel": "telegram:-1/"}, CHANNELS_FORM),
        (ANNOUNCE | {"message": "5" * 21}, "the id of a message"),
        (ANNOUNCE | {"message": "five"}, "the id of a message"),
        (ANNOUNCE | {"message": 5}, "the id of a message"),
        (ANNOUNCE | {"end": "Done"}, "small letters"),
        (ANNOUNCE | {"state": "x"}, "takes action, run_id, channel, bot, message, end"),
        (WATCH | {"state": "x" * 6001}, "at most 6000 characters"),
        (WATCH | {"state": 1}, "at most 6000 characters"),
        (WATCH | {"version": -1}, "from 0 to"),
        (WATCH | {"version": 2**53 + 1}, "from 0 to"),
        (WATCH | {"version": True}, "version"),
        (WATCH | {"message": "5"}, "takes action, channel, bot, state, version"),
        (WATCH | {"channel": None}, CHANNELS_FORM),
    ],
)
def test_a_refusal_names_what_was_wrong(body: dict[str, Any], names: str) -> None:
    with pytest.raises(Failure) as failed:
        parse(body)

    assert failed.value.code == "bad_request"
    assert names in str(failed.value)
    assert re.search(r"[^ .]\.$", str(failed.value))


def test_what_was_sent_is_not_quoted() -> None:
    for body in ({"action": "s3cret"}, by_person(s3cret=1), by_person(target="s3cret/")):
        with pytest.raises(Failure) as failed:
            parse(body)
        assert "s3cret" not in str(failed.value)


def test_a_function_urls_event_is_taken_apart() -> None:
    assert read(function_url("{}", AGENT_1)) == RawRequest(CONTROL_TOKEN, iam(AGENT_1), "{}")
    assert read(function_url("{}", token=None)) == RawRequest("", None, "{}")


def test_a_direct_invoke_is_its_own_body() -> None:
    event = {"action": "deploy", "target": "all", "control_token": "t"}

    request = read(event)

    assert (request.token, request.iam) == ("t", None)
    assert payload(request) == {"action": "deploy", "target": "all"}


@pytest.mark.parametrize("authorizer", ["", 0, [], "x", [1]])
def test_an_authorizer_of_a_wrong_shape_is_not_taken_for_none(authorizer: object) -> None:
    event = function_url("{}")
    event["requestContext"]["authorizer"] = authorizer

    assert read(event).iam is not None


@pytest.mark.parametrize("authorizer", [None, {}, {"iam": None}])
def test_where_there_is_no_signer_none_is_seen(authorizer: object) -> None:
    event = function_url("{}")
    event["requestContext"]["authorizer"] = authorizer

    assert read(event).iam is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        '"x"',
        "7",
        "{",
        "{}x",
        "[" * 9000,
        "9" * 9000,
        "\ud800",
        '{"a": 1e',
        "\x00",
    ],
)
def test_a_body_that_is_no_object(body: str) -> None:
    with pytest.raises(Failure) as failed:
        payload(RawRequest("", None, body))

    assert failed.value.code == "bad_request"


@pytest.mark.parametrize("body", ["{}", "e30", "e30=\n", "é", "e30==", json.dumps({"a": 1})])
def test_a_body_that_is_not_the_base64_it_says(body: str) -> None:
    with pytest.raises(Failure) as failed:
        payload(RawRequest("", None, body, base64=True))

    assert failed.value.code == "bad_request"


@pytest.mark.parametrize("number", [1, 100])
def test_the_least_and_the_most_may_be_asked_for(number: int) -> None:
    assert parse({"action": "runs", "limit": number}).limit == number
    assert parse({"action": "run", "run_id": number}).run_id == number


def test_only_a_post_is_answered() -> None:
    event = function_url("{}", AGENT_1)
    event["requestContext"]["http"]["method"] = "GET"

    with pytest.raises(Failure) as failed:
        read(event)

    assert failed.value.code == "method_not_allowed"


def test_a_body_may_have_16_kb_and_no_byte_more() -> None:
    most = '{"a": "' + "x" * (16 * 1024 - 9) + '"}'

    assert list(payload(RawRequest("", None, most))) == ["a"]
    for longer in (
        RawRequest("", None, f"{most} "),
        RawRequest("", None, "!" * 32 * 1024, base64=True),
    ):
        with pytest.raises(Failure) as failed:
            payload(longer)
        assert failed.value.code == "too_large"


def test_an_image_may_be_named_alone() -> None:
    assert parse(by_person(ami_override="ami-01234567")).entry.image_or_commit == "ami-01234567"


def test_the_longest_state_fits_a_request_however_it_is_written() -> None:
    raw = RawRequest("", None, json.dumps(WATCH | {"state": '"' * 6000, "version": 2**53}))

    assert len(str(parse(payload(raw)).state)) == 6000
