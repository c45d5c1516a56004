"""What an agent has besides its logins: taken in, checked, bundled and taken back like a token."""

import json
from contextlib import closing

import pytest

from clawbot.provision import age
from fleet_control.archive import unpack
from tests.provision.operator_shell import REGISTRY, Operator

FIRST, SECOND = REGISTRY
KEY, PEM = "model-key", "app-pem"
VALUE = "sk-the-key-of-a-model"
LINES = "-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def shell(operator: Operator) -> Operator:
    """Both agents have the model's key, the first an app's PEM too."""
    entries = {
        FIRST: {**REGISTRY[FIRST], "agentSecrets": [KEY, PEM]},
        SECOND: {**REGISTRY[SECOND], "agentSecrets": [KEY]},
    }
    write(operator, entries)
    operator.make_secrets()
    return operator


def write(operator: Operator, entries: object) -> None:
    (operator.checkout / "nix/instances.json").write_text(json.dumps(entries))


def takes(operator: Operator) -> None:
    operator.does("secrets", "take", KEY, given=f"{VALUE}\n")
    operator.does("secrets", "take", PEM, given=LINES)


def bundled(operator: Operator, instance: str) -> dict[str, bytes]:
    """The agent's secrets in the bundle that lies in S3, as the instance decrypts them."""
    key = f"{REGISTRY[instance]['bootstrapPrefix']}/secrets.tar.zst"
    with closing(operator.account.client("s3")) as s3:
        data = s3.get_object(Bucket=operator.account.bucket, Key=key)["Body"].read()
    files = unpack(data)
    identity = age.identity(files["instance.agekey"].data.decode())
    names = [name for name in (KEY, PEM) if f"{name}.age" in files]
    found = {name: age.decrypt(files[f"{name}.age"].data, identity) for name in names}
    return {name: plain for name, plain in found.items() if plain is not None}


def test_each_agent_is_bundled_what_its_entry_names(shell: Operator) -> None:
    takes(shell)
    shell.does("secrets", "sync")

    assert shell.does("secrets", "check") == f"{FIRST}: all is well\n{SECOND}: all is well\n"
    shell.does("bundle", "upload", "all")
    assert bundled(shell, FIRST) == {KEY: VALUE.encode(), PEM: LINES.encode()}
    assert bundled(shell, SECOND) == {KEY: VALUE.encode()}


def test_what_nobody_took_in_is_asked_for_once_and_missing_in_the_check(shell: Operator) -> None:
    asked = shell.does("secrets", "make", "all").splitlines()

    assert asked == [f"still to take in: clawbot secrets take {name}" for name in (KEY, PEM)]
    checked = shell.types("secrets", "check")
    missing = f"{KEY}.age is missing: take it in with `clawbot secrets take {KEY}`."
    assert checked.code == 1
    assert checked.out.count(missing) == 2


@pytest.mark.parametrize("value", ["", " \n", "a\0b"])
def test_what_is_no_text_is_not_taken(shell: Operator, value: str) -> None:
    ended = shell.types("secrets", "take", PEM, given=value)

    assert ended.code == 1
    assert f"{PEM} must be text in UTF-8, a line or more." in ended.err
    assert shell.secrets.read(PEM) is None


def test_a_login_is_no_secret_of_an_agent_and_two_agents_may_have_the_same(shell: Operator) -> None:
    login = "discord-token-of-number-1"
    refused = shell.types("secrets", "take", KEY, given=login)
    takes(shell)

    assert "That is the value of clawdinator-discord-token-1" in refused.err
    assert login not in refused.err
    shell.does("secrets", "take", PEM, given=VALUE)


def test_one_that_an_instance_left_behind_is_encrypted_without_it(shell: Operator) -> None:
    takes(shell)
    write(shell, {FIRST: {**REGISTRY[FIRST], "agentSecrets": [KEY, PEM]}})

    said = shell.does("secrets", "forget", SECOND)

    assert f"{KEY}: encrypted again without {SECOND}, which still knows it" in said
    assert f"{PEM}: encrypted" not in said
    assert age.readers(shell.secrets.read(KEY) or b"") == 2


def test_one_more_reader_is_found(shell: Operator) -> None:
    takes(shell)
    write(shell, {FIRST: {**REGISTRY[FIRST], "agentSecrets": [KEY, PEM]}, SECOND: REGISTRY[SECOND]})

    checked = shell.types("secrets", "check")

    assert f"{KEY}.age is encrypted to one more than should read it: {SECOND}." in checked.out
