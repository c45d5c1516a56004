"""The registry: what is valid, and the sentence for each thing that is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from fleet_control.error import RegistryError
from fleet_control.registry import is_fleets_own, parse

OURS = Path(__file__).parents[2] / "nix" / "instances.json"


def entry(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "host": f"claw-{number}",
        "instanceType": "t3.large",
        "bootstrapPrefix": f"bootstrap/claw-{number}",
        "discordTokenSecret": f"claw-discord-token-{number}",
    } | changed


def problems(registry: object) -> list[str]:
    text = registry if isinstance(registry, str) else json.dumps(registry)
    with pytest.raises(RegistryError) as raised:
        parse(text)
    return raised.value.problems


def test_the_registry_of_this_repository_is_valid() -> None:
    registry = parse(OURS.read_bytes())

    assert registry.ids == ("clawdinator-1", "clawdinator-2")
    assert registry["clawdinator-2"].instance_type == "t3.large"


def test_every_optional_field_is_read() -> None:
    registry = parse(
        json.dumps(
            {
                "babelfish": entry(
                    discordUserId="80351110224678912",
                    telegramUserId="777",
                    telegramTokenSecret="babelfish-telegram-token",
                    clawbotDiscordTokenSecret="clawbot-discord-token",
                    clawbotTelegramTokenSecret="clawbot-telegram-token",
                    agentSecrets=["model-key", "app-pem"],
                )
            }
        )
    )

    assert registry.by_discord("80351110224678912") == "babelfish"
    assert registry.by_telegram("777") == "babelfish"
    assert registry.by_discord("1") is None
    assert registry["babelfish"].clawbot_telegram_token_secret == "clawbot-telegram-token"
    assert registry["babelfish"].agent_secrets == ("model-key", "app-pem")


def test_instances_may_share_a_secret_of_their_agents() -> None:
    shared = {"agentSecrets": ["model-key"]}

    registry = parse(json.dumps({"a": entry(1, **shared), "b": entry(2, **shared)}))

    assert registry["a"].agent_secrets == registry["b"].agent_secrets == ("model-key",)


SECRETS = ("discordTokenSecret", "telegramTokenSecret", "clawbotDiscordTokenSecret",
           "clawbotTelegramTokenSecret")  # fmt: skip


@pytest.mark.parametrize("field", SECRETS)
@pytest.mark.parametrize(
    "name",
    [
        "clawdinator-chat-aws-secret-access-key-claw-1",
        "clawdinator-chat-aws-secret-access-key",
        "clawdinator-control-aws-access-key-id-claw-2",
        "clawdinator-control-token",
        "clawdinator-identity-claw-2",
        "clawdinator-identity",
    ],
)
def test_no_token_may_have_a_name_that_the_fleet_uses_itself(field: str, name: str) -> None:
    assert problems({"claw-1": entry() | {field: name}}) == [
        f"`claw-1`: `{field}`: it may not be a name that the fleet uses itself "
        "(clawdinator-control-…, clawdinator-chat-…, clawdinator-identity-…)"
    ]


@pytest.mark.parametrize(
    "name", ["clawdinator-chatty", "clawdinator-discord-token-1", "a-clawdinator-chat-a"]
)
def test_a_name_that_only_looks_like_one_is_anybodys(name: str) -> None:
    assert not is_fleets_own(name)
    assert parse(json.dumps({"claw-1": entry(discordTokenSecret=name)}))


WRONG: list[tuple[str, object, str]] = [
    ("not JSON", "{", "not JSON"),
    ("nothing", "", "not JSON"),
    ("a list", [], "object of instance ids"),
    ("an empty fleet", {}, "empty"),
    ("deep nesting", "[" * 100_000, "not JSON"),
    ("an entry twice", '{"a": 1, "a": 2}', "`a` stands twice"),
    ("an entry that is no object", {"claw-1": 5}, "`claw-1`: it must be a JSON object"),
    ("an unknown field", {"claw-1": entry(hots="x")}, "`claw-1`: unknown field `hots`"),
    ("a missing field", {"claw-1": {"host": "a"}}, "`claw-1`: `instanceType` is missing"),
    ("an upper-case id", {"Claw": entry()}, "`Claw` is not an id"),
    ("an id with two hyphens", {"claw--1": entry()}, "`claw--1` is not an id"),
    ("an id too long", {"c" * 33: entry()}, "is not an id"),
    ("an id called all", {"all": entry()}, "`all` is not an id"),
    (
        "a wrong type",
        {"claw-1": entry(instanceType="large")},
        "`claw-1`: `instanceType` must match",
    ),
    ("a number as host", {"claw-1": entry(host=1)}, "`claw-1`: `host`"),
    ("a prefix with dots", {"claw-1": entry(bootstrapPrefix="a/../b")}, "`bootstrapPrefix` must"),
    ("a prefix with a slash", {"claw-1": entry(bootstrapPrefix="/a")}, "`bootstrapPrefix` must"),
    ("an account with letters", {"claw-1": entry(discordUserId="sam")}, "`discordUserId` must"),
    ("one host twice", {"a": entry(1), "b": entry(2, host="claw-1")}, "share the host `claw-1`"),
    (
        "one token twice",
        {"a": entry(1), "b": entry(2, clawbotDiscordTokenSecret="claw-discord-token-1")},
        "`a` and `b` share the token secret `claw-discord-token-1`",
    ),
    (
        "one entry's token twice",
        {"a": entry(1, clawbotDiscordTokenSecret="claw-discord-token-1")},
        "`a` names the token secret `claw-discord-token-1` twice: each login needs its own",
    ),
    (
        "an agent's secret that another logs in with",
        {"a": entry(1), "b": entry(2, agentSecrets=["claw-discord-token-1"])},
        "`b`: `agentSecrets` names the token secret `claw-discord-token-1` of `a`",
    ),
    (
        "an agent's secret that it logs in with itself",
        {"a": entry(1, agentSecrets=["claw-discord-token-1"])},
        "`a`: `agentSecrets` names the token secret `claw-discord-token-1` of `a`",
    ),
    (
        "an agent's secret twice",
        {"a": entry(1, agentSecrets=["key", "key"])},
        "`a`: `agentSecrets` names `key` twice",
    ),
    (
        "an agent's secret that is the fleet's own",
        {"a": entry(1, agentSecrets=["clawdinator-control-token"])},
        "`a`: `agentSecrets.0`: it may not be a name that the fleet uses itself",
    ),
    (
        "one secret where a list is",
        {"a": entry(1, agentSecrets="key")},
        "`a`: `agentSecrets` must be a list of secrets' names",
    ),
    (
        "one Discord account twice",
        {"a": entry(1, discordUserId="7"), "b": entry(2, discordUserId="7")},
        "share the Discord account `7`",
    ),
    (
        "one Telegram account twice",
        {"a": entry(1, telegramUserId="7"), "b": entry(2, telegramUserId="7")},
        "share the Telegram account `7`",
    ),
    (
        "one prefix twice",
        {"a": entry(1), "b": entry(2, bootstrapPrefix="bootstrap/claw-1")},
        "`a` and `b` share the bootstrap prefix",
    ),
    (
        "a prefix inside another's",
        {"a": entry(1, bootstrapPrefix="boot"), "b": entry(2, bootstrapPrefix="boot/b")},
        "`a` and `b` share the bootstrap prefix `boot`",
    ),
]


@pytest.mark.parametrize(
    ("registry", "sentence"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_a_wrong_registry_is_refused_with_what_is_wrong(registry: object, sentence: str) -> None:
    assert any(sentence in problem for problem in problems(registry)), problems(registry)


def test_all_problems_are_named_at_once() -> None:
    found = problems({"a": entry(1, hots=1), "B": entry(2), "c": entry(3, host="x y")})

    assert len(found) == 3


def test_prefixes_that_only_begin_alike_are_two() -> None:
    registry = parse(
        json.dumps({"a": entry(1, bootstrapPrefix="boot"), "b": entry(2, bootstrapPrefix="boot-2")})
    )

    assert registry.ids == ("a", "b")


@pytest.mark.parametrize(
    ("encoding", "sentence"),
    [
        ("utf-8-sig", "it begins with a byte order mark; save it as UTF-8 without one"),
        ("utf-16", "it is not UTF-8; save it as that"),
    ],
)
def test_a_file_s_bytes_are_read_as_the_text_that_the_control_api_gives(
    encoding: str, sentence: str
) -> None:
    content = json.dumps({"a": entry(1)}).encode(encoding)

    with pytest.raises(RegistryError, match=sentence):
        parse(content)
    with pytest.raises(RegistryError) as as_text:
        parse(content.decode("utf-8", "replace"))
    assert encoding != "utf-8-sig" or as_text.value.problems == [sentence]


@pytest.mark.parametrize(
    ("field", "longest", "more"),
    [
        ("host", "h" * 63, "h"),
        ("instanceType", f"t3.{'l' * 29}", "l"),
        ("bootstrapPrefix", "p" * 200, "p"),
        ("discordTokenSecret", "s" * 100, "s"),
    ],
)
def test_a_field_may_be_as_long_as_what_it_names(field: str, longest: str, more: str) -> None:
    assert parse(json.dumps({"claw-1": entry() | {field: longest}})).ids == ("claw-1",)
    (said,) = problems({"claw-1": entry() | {field: longest + more}})
    assert field in said
