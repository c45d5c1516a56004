"""`clawbot secrets`, typed by an operator, against moto with its authentication on."""

import base64
import json
import stat
from contextlib import closing
from pathlib import Path

import pytest

from clawbot.provision import age
from clawbot.provision.command import main
from clawbot.provision.fleet_secret import CONTROL_TOKEN, secrets
from fleet_control.registry import Registry, parse
from tests.provision import operator_shell
from tests.provision.operator_shell import Operator, token, token_name

FIRST, SECOND = "clawdinator-1", "clawdinator-2"


def registry(operator: Operator) -> Registry:
    return parse((operator.checkout / "nix/instances.json").read_bytes())


def test_everything_is_made_and_encrypted_to_exactly_those_who_need_it(
    operator: Operator,
) -> None:
    operator.make_secrets()

    folder = operator.secrets
    for secret in secrets(registry(operator)):
        data = folder.read(secret.name)
        assert data is not None
        able = {
            id_
            for id_ in operator_shell.REGISTRY
            if (key := folder.identity(id_)) and age.decrypt(data, key) is not None
        }
        assert able == set(secret.instances), secret.name
        assert age.readers(data) == len(able) + 1, secret.name
        assert folder.reveal(secret.name) is not None, secret.name
    operator.does("secrets", "sync")
    assert operator.does("secrets", "check") == (
        "clawdinator-1: all is well\nclawdinator-2: all is well\n"
    )


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("discordTokenSecret", f"clawdinator-chat-aws-secret-access-key-{FIRST}"),
        ("telegramTokenSecret", f"clawdinator-identity-{SECOND}"),
    ],
)
def test_a_token_by_the_name_of_one_of_the_fleets_own_secrets_goes_nowhere(
    operator: Operator, field: str, name: str
) -> None:
    operator.make_secrets()
    greedy = operator_shell.REGISTRY | {FIRST: operator_shell.REGISTRY[FIRST] | {field: name}}
    (operator.checkout / "nix/instances.json").write_text(json.dumps(greedy))

    for words in (("secrets", "make", "all"), ("secrets", "check"), ("bundle", "upload", "all")):
        ended = operator.types(*words)
        assert (ended.code, ended.out) == (1, "")
        assert f"`{field}`: it may not be a name that the fleet uses itself" in ended.err


def test_the_made_keys_are_the_users_own_and_work(operator: Operator) -> None:
    operator.make_secrets()

    folder = operator.secrets
    with closing(operator.account.client("iam")) as iam:
        for role, name in (("agent", "control"), ("chat", "chat")):
            kept = folder.reveal(f"clawdinator-{name}-aws-access-key-id-{FIRST}")
            assert kept is not None
            there = iam.list_access_keys(UserName=f"{FIRST}-{role}")["AccessKeyMetadata"]
            assert [one["AccessKeyId"] for one in there] == [kept.decode()]


def test_nothing_plain_lies_anywhere(operator: Operator) -> None:
    operator.make_secrets()

    folder = operator.secrets
    values = [
        value
        for secret in secrets(registry(operator))
        if "key-id" not in secret.name and (value := folder.reveal(secret.name))
    ]
    keys = [key.secret.encode() for id_ in operator_shell.REGISTRY if (key := folder.identity(id_))]
    identity_file = operator.folder / ".config/clawbot/operator.agekey"
    for path in operator.folder.rglob("*"):
        if path.is_file() and path != identity_file:
            held = path.read_bytes()
            assert not [one for one in (*values, *keys) if one in held], path
    assert stat.S_IMODE(identity_file.stat().st_mode) == 0o600


def test_making_again_changes_nothing(operator: Operator) -> None:
    operator.make_secrets()
    before = {path.name: path.read_bytes() for path in (operator.folder / "nix-secrets").iterdir()}

    assert operator.does("secrets", "make", "all") == ""
    after = {path.name: path.read_bytes() for path in (operator.folder / "nix-secrets").iterdir()}
    assert after == before


def test_a_new_instance_is_taken_in_by_one_command(operator: Operator) -> None:
    operator.make_secrets()
    operator.does("instance", "add", "clawdinator-3")
    operator.add_users("clawdinator-3")

    said = operator.does("secrets", "make", "clawdinator-3")

    assert f"{CONTROL_TOKEN}: encrypted again" in said
    assert "still to take in: clawbot secrets take clawdinator-discord-token-3" in said
    folder = operator.secrets
    data, key = folder.read(CONTROL_TOKEN), folder.identity("clawdinator-3")
    assert data is not None
    assert key is not None
    assert age.decrypt(data, key) == folder.reveal(CONTROL_TOKEN)


def test_users_that_are_not_there_yet_are_named_and_the_rest_is_made(operator: Operator) -> None:
    operator.does("secrets", "operator")
    operator.does("instance", "add", "clawdinator-3")

    ended = operator.types("secrets", "make", "all")

    assert ended.code == 1
    assert "There is no IAM user clawdinator-3-agent: `tofu" in ended.err
    assert "clawdinator-identity-clawdinator-3: made." in ended.out


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("\n", "one line of printable characters"),
        ("two words\n", "one line of printable characters"),
        (f"{token('1')}\n", "That is the value of clawdinator-discord-token-1"),
    ],
)
def test_a_token_that_is_none_is_not_taken_in(
    operator: Operator, given: str, sentence: str
) -> None:
    operator.make_secrets([FIRST])

    ended = operator.types("secrets", "take", token_name("2"), given=given)

    assert ended.code == 1
    assert sentence in ended.err
    assert operator.secrets.read(token_name("2")) is None


# Two tokens of one account (its id comes first), and one of another.
DISCORD = ("MTA0OTg3NjU0MzIxMDk4NzY1NA.GAbCdE.first", "MTA0OTg3NjU0MzIxMDk4NzY1NA.GXyZ01.second")
TELEGRAM = ("7262716152:AAFirst", "7262716152:AASecond")
OTHERS = ("MTA0OTg3NjU0MzIxMDk4NzY1NQ.GAbCdE.first", "7262716153:AAFirst")
OWN = {
    FIRST: {**operator_shell.REGISTRY[FIRST], "clawbotDiscordTokenSecret": "bots-1"},
    SECOND: {**operator_shell.REGISTRY[SECOND], "clawbotDiscordTokenSecret": "bots-2"},
}


@pytest.mark.parametrize("other", [token_name("1"), "bots-2"])
@pytest.mark.parametrize("tokens", [DISCORD, TELEGRAM])
def test_a_bot_is_given_no_token_of_an_agent_s_account_or_of_another_bot_s(
    operator: Operator, tokens: tuple[str, str], other: str
) -> None:
    operator.set_registry(OWN)
    operator.make_secrets()
    operator.does("secrets", "take", other, given=tokens[0])

    ended = operator.types("secrets", "take", "bots-1", given=tokens[1])

    assert ended.code == 1
    assert ended.err == (
        f"That is a token of the account that {other} logs in; each needs its own.\n"
    )
    assert operator.secrets.read("bots-1") is None
    for fine in OTHERS:
        operator.does("secrets", "take", "bots-1", given=fine)


def test_a_bot_s_token_that_is_its_agent_s_is_shown_by_the_check_and_goes_into_no_bundle(
    operator: Operator,
) -> None:
    operator.set_registry(OWN)
    operator.make_secrets()
    for name, given in ((token_name("1"), DISCORD[0]), ("bots-1", OTHERS[0]), ("bots-2", "x")):
        operator.does("secrets", "take", name, given=given)
    folder = operator.secrets
    mine = {folder.recipients.instances[FIRST], *folder.recipients.operators}
    folder.write("bots-1", DISCORD[1].encode(), mine)

    said = (
        f"bots-1.age holds the token of {FIRST}: it logs in as {token_name('1')} does, and each "
        "needs its own. Take it in with `clawbot secrets take bots-1`."
    )
    assert said in operator.types("secrets", "check", FIRST).out
    assert said in operator.types("bundle", "build", "all").err


def test_only_tokens_of_the_registry_are_taken_in(operator: Operator) -> None:
    operator.make_secrets()

    ended = operator.types("secrets", "take", CONTROL_TOKEN, given="x\n")

    assert (
        "is no token and no agent's secret of the registry; those are clawdinator-discord-token-1,"
        in ended.err
    )


def test_check_says_of_each_instance_what_is_wrong(operator: Operator) -> None:
    operator.make_secrets()
    operator.does("secrets", "sync")
    folder = operator.secrets
    everyone = folder.recipients.operators
    folder.delete(token_name("1"))
    (folder.path / f"clawdinator-chat-aws-access-key-id-{FIRST}.age").write_bytes(b"a plain one")
    folder.write(token_name("2"), token("2").encode(), everyone)
    keys = folder.recipients.instances
    name = f"clawdinator-control-aws-secret-access-key-{SECOND}"
    folder.write(name, b"secret", {keys[FIRST], keys[SECOND], *everyone})

    ended = operator.types("secrets", "check")

    assert ended.code == 1
    for line in (
        f"{token_name('1')}.age is missing: take it in with `clawbot secrets take",
        f"clawdinator-chat-aws-access-key-id-{FIRST}.age is not an age file",
        f"{token_name('2')}.age can't be read by {SECOND}: encrypt it again with",
        f"{name}.age is encrypted to one more than should read it: {FIRST}.",
        f"{name}.age in S3 is stale: run `clawbot secrets sync`.",
    ):
        assert line in ended.out


def test_a_reader_nobody_knows_is_found_by_counting(operator: Operator) -> None:
    operator.make_secrets()
    folder = operator.secrets
    stranger = age.new_identity().recipient
    keys = folder.recipients.instances
    mine = {keys[FIRST], *folder.recipients.operators, stranger}
    folder.write(token_name("1"), token("1").encode(), mine)

    assert "one more than should read it: somebody who is not known here" in (
        operator.types("secrets", "check", FIRST).out
    )


def test_making_does_not_hide_a_reader_too_many(operator: Operator) -> None:
    operator.make_secrets()
    folder = operator.secrets
    keys = folder.recipients.instances
    folder.write(
        token_name("1"), token("1").encode(), {*keys.values(), operator.identity.recipient}
    )

    ended = operator.types("secrets", "make", "all")

    assert f"{token_name('1')}.age is encrypted to one more than should read it" in ended.err


def test_a_second_operator_is_taken_in_by_the_first(operator: Operator) -> None:
    operator.make_secrets()
    second = age.new_identity()
    operator.secrets.add_operator(second.recipient)

    operator.does("secrets", "make", "all")

    folder = operator.secrets
    for name in folder.names():
        data = folder.read(name)
        assert data is not None
        assert age.decrypt(data, second) is not None, name
    operator.does("secrets", "sync")
    operator.does("secrets", "check")


def test_sync_uploads_what_changed_removes_what_left_and_nothing_plain(
    operator: Operator,
) -> None:
    operator.make_secrets()
    assert operator.does("secrets", "sync").count("uploaded") == len(operator.secrets.names())
    operator.secrets.delete(token_name("1"))

    assert "age-secrets/clawdinator-discord-token-1.age: removed." in (
        operator.does("secrets", "sync")
    )

    (operator.secrets.path / "oops.age").write_text("plain")
    ended = operator.types("secrets", "sync")
    assert "oops.age is not an age file; a plain secret must not be uploaded." in ended.err


def accepted(operator: Operator) -> list[str]:
    """What the Control API would take."""
    with closing(operator.account.client("ssm")) as ssm:
        answer = ssm.get_parameter(Name="/clawdinator/control-token", WithDecryption=True)
    value: str = answer["Parameter"]["Value"]
    return value.splitlines()


def test_the_control_token_is_rotated_under_running_bots(operator: Operator) -> None:
    operator.make_secrets()
    operator.does("secrets", "accept")
    old = accepted(operator)

    assert "2 control tokens are accepted" in operator.does("secrets", "rotate", CONTROL_TOKEN)
    new = operator.secrets.reveal(CONTROL_TOKEN)
    assert new is not None
    assert accepted(operator) == [new.decode(), *old]
    assert operator.types("secrets", "rotate", CONTROL_TOKEN).code == 1

    assert "1 control token is accepted" in operator.does("secrets", "retire", CONTROL_TOKEN)
    assert accepted(operator) == [new.decode()]


def test_githubs_token_is_written_where_the_control_api_reads_it(operator: Operator) -> None:
    name = "/clawdinator/github-token"

    assert operator.does("secrets", "github", given="github_pat_one\n") == (
        f"{name}: written, one line of 14 characters, without the line end after it.\n"
        "`fleet-control runs` shows whether GitHub takes it.\n"
    )
    ended = operator.types("secrets", "github", given='"github_pat_two"')
    assert ended.err.startswith("GitHub's token: the value stands in quotes; nothing was taken in.")
    assert "type `clawbot secrets github` at a terminal" in ended.err
    with closing(operator.account.client("ssm")) as ssm:
        kept = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert (kept["Value"], kept["Type"]) == ("github_pat_one", "SecureString")


def test_an_instances_keys_are_rotated_and_the_old_ones_retired(operator: Operator) -> None:
    operator.make_secrets()
    operator.does("secrets", "rotate", FIRST)

    assert operator.types("secrets", "rotate", FIRST).code == 1
    assert operator.does("secrets", "retire", FIRST).count("deleted") == 2
    held = operator.secrets.reveal(f"clawdinator-control-aws-access-key-id-{FIRST}")
    with closing(operator.account.client("iam")) as iam:
        there = iam.list_access_keys(UserName=f"{FIRST}-agent")["AccessKeyMetadata"]
    assert [one["AccessKeyId"].encode() for one in there] == [held]


def test_what_left_the_registry_is_forgotten(operator: Operator) -> None:
    operator.make_secrets()
    assert operator.types("secrets", "forget", SECOND).code == 1
    operator.does("instance", "remove", SECOND)

    said = operator.does("secrets", "forget", SECOND)
    assert said.count("deleted") == 3
    assert "encrypted again without clawdinator-2, which still knows it" in said
    assert operator.secrets.read(CONTROL_TOKEN) is not None
    assert operator.types("secrets", "check").out.count("one more than should") == 0
    assert not [one for one in operator.secrets.names() if one.endswith(SECOND)]


def test_an_operators_identity_that_is_not_there_says_what_to_type(operator: Operator) -> None:
    assert "clawbot secrets operator" in operator.types("secrets", "make", "all").err
    assert operator.types("bundle", "build", "all").err.count("\n") == 1


def test_a_shell_without_aws_credentials_is_told_which_to_set(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.does("secrets", "operator")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    without = {key: one for key, one in operator.environ.items() if "_KEY" not in key}

    code = main(["secrets", "--checkout", str(operator.checkout), "sync"], without)

    assert code == 1
    assert operator.capsys.readouterr().err == (
        "There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
        "AWS_PROFILE, as for the AWS CLI.\n"
    )


def test_variables_in_quotes_are_told_by_name(operator: Operator) -> None:
    quoted = operator.environ | {"AWS_REGION": '"eu-central-1"', "CLAWBOT_NIX_SECRETS": "'x'"}

    assert main(["secrets", "--checkout", str(operator.checkout), "operator"], quoted) == 1
    assert sorted(operator.capsys.readouterr().err.splitlines()) == [
        "AWS_REGION stands in quotes: leave them out.",
        "CLAWBOT_NIX_SECRETS stands in quotes: leave them out.",
    ]


@pytest.mark.parametrize("half", ["access-key-id", "secret-access-key"])
def test_a_file_that_can_not_be_written_leaves_no_key_behind(operator: Operator, half: str) -> None:
    operator.make_secrets()
    name = f"clawdinator-control-aws-{half}-{FIRST}"
    (operator.secrets.path / f".{name}.age.new").mkdir()

    ended = operator.types("secrets", "rotate", FIRST)

    assert ended.code == 1
    assert f".{name}.age.new can't be used (Is a directory); what was said above is done." in (
        ended.err
    )
    with closing(operator.account.client("iam")) as iam:
        there = iam.list_access_keys(UserName=f"{FIRST}-agent")["AccessKeyMetadata"]
    kept = operator.secrets.reveal(f"clawdinator-control-aws-access-key-id-{FIRST}")
    assert [one["AccessKeyId"].encode() for one in there] == [kept]


def test_an_armored_file_is_read_and_counted_too() -> None:
    import pyrage  # type: ignore[import-untyped]  # noqa: PLC0415  # as in age.py

    key = age.new_identity()
    to = [pyrage.x25519.Recipient.from_str(key.recipient)]
    armored = pyrage.encrypt(b"plain", to, armored=True)

    assert age.readers(armored) == 1
    assert age.opens(armored, key)
    assert age.decrypt(armored, key) == b"plain"


def test_each_of_many_readers_opens_a_file_and_nobody_else_does() -> None:
    keys = [age.new_identity() for _ in range(40)]
    data = age.encrypt(b"plain", [key.recipient for key in keys])

    assert age.readers(data) == len(keys)
    assert all(age.opens(data, key) for key in keys)
    assert not age.opens(data, age.new_identity())
    assert not age.opens(b"plain", keys[0])


def test_recipients_that_are_none_are_refused_without_being_shown(operator: Operator) -> None:
    operator.make_secrets()
    secret = operator.identity.secret
    Path(operator.secrets.path / "recipients.json").write_text(
        f'{{"operators": ["{secret}"], "instances": {{}}}}'
    )

    ended = operator.types("secrets", "check")

    assert "is no age recipient" in ended.err
    assert secret not in ended.err


def test_the_control_token_is_of_256_bits(operator: Operator) -> None:
    operator.make_secrets()

    made = operator.secrets.reveal(CONTROL_TOKEN)
    assert len(base64.urlsafe_b64decode((made or b"") + b"=")) == 32
