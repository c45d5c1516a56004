"""`clawbot instance`, typed by an operator."""

import json
from typing import Any

import pytest

from tests.provision.operator_shell import Operator

THIRD = "clawdinator-3"


@pytest.fixture
def operator(operator_without_aws: Operator) -> Operator:
    return operator_without_aws


def entries(operator: Operator) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(
        (operator.checkout / "nix/instances.json").read_text()
    )
    return found


def test_an_instance_is_one_command_away(operator: Operator) -> None:
    said = operator.does("instance", "add", THIRD)

    assert entries(operator)[THIRD] == {
        "host": THIRD,
        "instanceType": "t3.large",
        "bootstrapPrefix": f"bootstrap/{THIRD}",
        "discordTokenSecret": "clawdinator-discord-token-3",
    }
    host = (operator.checkout / f"nix/hosts/{THIRD}.nix").read_text()
    assert f'clawdinator.instance = "{THIRD}";' in host
    for secret in ("clawdinator-discord-token-3", f"clawdinator-identity-{THIRD}"):
        assert f"  {secret}\n" in said
    assert "exists" not in said
    assert said.endswith(f"  clawbot secrets make {THIRD}\n")


NO_BOT = (
    "no bot will serve /fleet from its host: the entry names no token of the bot's own.\n"
    "to serve it there, add one of these to the entry, by a name that you choose:\n"
    '  "clawbotDiscordTokenSecret": "clawdinator-clawbot-discord-token-3"\n'
    '  "clawbotTelegramTokenSecret": "clawdinator-clawbot-telegram-token-3"\n'
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], True),
        (["--telegram-token-secret", "agents-3"], True),
        (["--clawbot-discord-token-secret", "bots-3"], False),
        (["--clawbot-telegram-token-secret", "bots-3"], False),
    ],
)
def test_it_says_that_a_host_without_a_token_of_the_bot_s_own_has_no_bot(
    operator: Operator, words: list[str], said: bool
) -> None:
    assert (NO_BOT in operator.does("instance", "add", THIRD, *words)) == said


def test_of_the_secrets_it_lists_it_says_which_exist(operator: Operator) -> None:
    operator.does("secrets", "operator")
    operator.secrets.write("clawdinator-control-token", b"x", {operator.identity.recipient})

    said = operator.does("instance", "add", THIRD)

    assert "  clawdinator-control-token (exists; is encrypted again)\n" in said
    assert said.count("exists") == 1


def test_in_a_folder_that_is_no_checkout_it_says_what_to_do(operator: Operator) -> None:
    (operator.checkout / "nix/instances.json").unlink()

    ended = operator.types("instance", "add", THIRD)

    assert ended.code == 1
    assert "can't be read (No such file or directory). Type this in a checkout, or name one" in (
        ended.err
    )


def test_every_field_of_an_entry_can_be_given(operator: Operator) -> None:
    given = {
        "--host": "claws",
        "--instance-type": "t3.small",
        "--telegram-user-id": "77",
        "--clawbot-discord-token-secret": "bot-token-3",
    }
    words = [word for pair in given.items() for word in pair]
    operator.does("instance", "add", THIRD, *words, "--agent-secrets", "model-key", "app-pem")

    entry = entries(operator)[THIRD]
    assert (entry["host"], entry["instanceType"]) == ("claws", "t3.small")
    assert (entry["telegramUserId"], entry["clawbotDiscordTokenSecret"]) == ("77", "bot-token-3")
    assert entry["agentSecrets"] == ["model-key", "app-pem"]
    assert (operator.checkout / "nix/hosts/claws.nix").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["clawdinator-1"], "is in the registry already"),
        (["all"], "`all` is not an id"),
        (["Claw_3"], "is not an id"),
        ([THIRD, "--host", "clawdinator-1"], "share the host"),
        ([THIRD, "--bootstrap-prefix", "bootstrap"], "share the bootstrap prefix"),
        ([THIRD, "--discord-token-secret", "clawdinator-discord-token-1"], "share the token"),
        ([THIRD, "--instance-type", "big"], "`instanceType` must match"),
    ],
)
def test_what_the_registry_would_refuse_is_refused_and_nothing_is_written(
    operator: Operator, words: list[str], sentence: str
) -> None:
    before = {path: path.read_bytes() for path in operator.checkout.rglob("*") if path.is_file()}

    ended = operator.types("instance", "add", *words)

    assert ended.code == 1
    assert sentence in ended.err
    after = {path: path.read_bytes() for path in operator.checkout.rglob("*") if path.is_file()}
    assert after == before


def test_a_host_file_of_somebodys_own_is_not_overwritten(operator: Operator) -> None:
    (operator.checkout / f"nix/hosts/{THIRD}.nix").write_text("{ mine = true; }")

    assert "is there already" in operator.types("instance", "add", THIRD).err
    assert THIRD not in entries(operator)


def test_removing_takes_both_away_and_says_what_is_left(operator: Operator) -> None:
    said = operator.does("instance", "remove", "clawdinator-2")

    assert list(entries(operator)) == ["clawdinator-1"]
    assert not (operator.checkout / "nix/hosts/clawdinator-2.nix").exists()
    assert "/fleet deploy all" in said
    assert "clawbot secrets forget clawdinator-2" in said
    assert "clawbot bundle forget bootstrap/clawdinator-2" in said


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        (["clawdinator-9"], "is not in the registry; it has clawdinator-1"),
        (["clawdinator-2", "clawdinator-1"], "it is empty"),
    ],
)
def test_the_last_one_and_an_unknown_one_can_not_be_removed(
    operator: Operator, gone: list[str], sentence: str
) -> None:
    *first, last = gone
    for id_ in first:
        operator.does("instance", "remove", id_)

    assert sentence in operator.types("instance", "remove", last).err
