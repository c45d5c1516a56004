"""What an agent has besides its logins: taken in, checked, bundled and taken back like a token."""

import json
from contextlib import closing

import pytest

from clawbot.provision import age
from fleet_control.archive import unpack
from tests.provision.operator_shell import REGISTRY, OperatorShell

FIRST, SECOND = REGISTRY
KEY, PEM = "model-key", "app-pem"
VALUE = "sk-the-key-of-a-model"
LINES = "-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def context(operator: OperatorShell) -> OperatorShell:
    """Both agents have the model's key, the first an app's PEM too."""
    entries = {
        FIRST: {**REGISTRY[FIRST], "agentSecrets": [KEY, PEM]},
        SECOND: {**REGISTRY[SECOND], "agentSecrets": [KEY]},
    }
    write(operator, entries)
    operator.make_secrets()
    return operator


def write(operator: OperatorShell, entries: object) -> None:
    (operator.checkout / "nix/instances.json").write_text(json.dumps(entries))


def takes(operator: OperatorShell) -> None:
    operator.does("secrets", "take", KEY, given=f"{VALUE}\n")
    operator.does("secrets", "take", PEM, given=LINES)


def bundled(operator: OperatorShell, instance: str) -> dict[str, bytes]:
    """The agent's secrets in the bundle that lies in S3, as the instance decrypts them."""
    key = f"{REGISTRY[instance]['bootstrapPrefix']}/secrets.tar.zst"
    with closing(operator.account.client("s3")) as s3:
        data = s3.get_object(Bucket=operator.account.bucket, Key=key)["Body"].read()
    files = unpack(data)
    identity = age.identity(files["instance.agekey"].data.decode())
    names = [name for name in (KEY, PEM) if f"{name}.age" in files]
    found = {name: age.decrypt(files[f"{name}.age"].data, identity) for name in names}
    return {name: plain for name, plain in found.items() if plain is not None}


def test_each_agent_is_bundled_what_its_entry_names(context: OperatorShell) -> None:
    takes(context)
    context.does("secrets", "sync")

    assert context.does("secrets", "check") == f"{FIRST}: all is well\n{SECOND}: all is well\n"
    context.does("bundle", "upload", "all")
    assert bundled(context, FIRST) == {KEY: VALUE.encode(), PEM: LINES.encode()}
    assert bundled(context, SECOND) == {KEY: VALUE.encode()}


def test_what_nobody_took_in_is_asked_for_once_and_missing_in_the_check(
    context: OperatorShell,
) -> None:
    asked = context.does("secrets", "make", "all").splitlines()

    assert asked == [f"still to take in: clawbot secrets take {name}" for name in (KEY, PEM)]
    checked = context.types("secrets", "check")
    missing = f"{KEY}.age is missing: take it in with `clawbot secrets take {KEY}`."
    assert checked.code == 1
    assert checked.out.count(missing) == 2


@pytest.mark.parametrize("value", ["", " \n", "a\0b"])
def test_what_is_no_text_is_not_taken(context: OperatorShell, value: str) -> None:
    ended = context.types("secrets", "take", PEM, given=value)

    assert ended.code == 1
    assert f"{PEM} must be text in UTF-8, a line or more." in ended.err
    assert context.secret_folder.read(PEM) is None


def test_a_login_is_no_secret_of_an_agent_and_two_agents_may_have_the_same(
    context: OperatorShell,
) -> None:
    login = "discord-token-of-number-1"
    refused = context.types("secrets", "take", KEY, given=login)
    takes(context)

    assert "That is the value of clawdinator-discord-token-1" in refused.err
    assert login not in refused.err
    context.does("secrets", "take", PEM, given=VALUE)


def test_one_that_an_instance_left_behind_is_encrypted_without_it(context: OperatorShell) -> None:
    takes(context)
    write(context, {FIRST: {**REGISTRY[FIRST], "agentSecrets": [KEY, PEM]}})

    said = context.does("secrets", "forget", SECOND)

    assert f"{KEY}: encrypted again without {SECOND}, which still knows it" in said
    assert f"{PEM}: encrypted" not in said
    assert age.readers(context.secret_folder.read(KEY) or b"") == 2


def test_one_more_reader_is_found(context: OperatorShell) -> None:
    takes(context)
    write(
        context, {FIRST: {**REGISTRY[FIRST], "agentSecrets": [KEY, PEM]}, SECOND: REGISTRY[SECOND]}
    )

    checked = context.types("secrets", "check")

    assert f"{KEY}.age is encrypted to one more than should read it: {SECOND}." in checked.out
