"""Every setting that is missing or wrong is named at once, and no secret is ever shown."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from clawbot.provision.operator_context import BUCKET, NIX_SECRETS, OPERATOR_IDENTITY
from clawbot.settings import Settings, load
from fleet_control.error import SettingsError
from tests.clawbot.bots import registry

ENVIRON = {
    "CLAWBOT_NAME": "demo",
    "CLAWBOT_REGION": "eu-central-1",
    "CLAWBOT_CONTROL_API_URL": "https://abc.lambda-url.eu-central-1.on.aws/",
    "CLAWBOT_CONTROL_TOKEN": "a-token-of-some-length",
    "CLAWBOT_AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "CLAWBOT_AWS_SECRET_ACCESS_KEY": "a-secret-of-some-length",
    "CLAWBOT_OPERATORS": "discord:80351110224678912, telegram:777",
}


def problems(environ: dict[str, str], root: Path) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        load(environ, root)
    return raised.value.problems


def test_the_environment_is_enough(tmp_path: Path) -> None:
    settings = load(ENVIRON, tmp_path)

    assert settings.bot == "demo"
    assert settings.operators == ("discord:80351110224678912", "telegram:777")
    assert settings.control_token.get_secret_value() == "a-token-of-some-length"
    assert settings.registry_file is None


def host_of(root: Path) -> None:
    """Lay the files of a host that this repository made."""
    for place, text in (
        ("etc/clawdinator/instance", "clawdinator-1\n"),
        ("etc/clawdinator/region", "eu-central-1\n"),
        ("etc/clawdinator/control-api-url", "https://abc.lambda-url.eu-central-1.on.aws/\n"),
        ("run/agenix/clawdinator-control-token", "a-token-of-some-length\n"),
        ("run/agenix/clawdinator-chat-aws-access-key-id", "AKIDEXAMPLE\n"),
        ("run/agenix/clawdinator-chat-aws-secret-access-key", "a-secret-of-some-length\n"),
        ("var/lib/clawd/repos/clawdinators/nix/instances.json", "{}"),
    ):
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_on_a_host_the_files_are_enough(tmp_path: Path) -> None:
    host_of(tmp_path)

    settings = load({}, tmp_path)

    assert settings.bot == settings.instance == "clawdinator-1"
    assert settings.aws_access_key_id.get_secret_value() == "AKIDEXAMPLE"
    assert settings.registry_file == (
        tmp_path / "var/lib/clawd/repos/clawdinators/nix/instances.json"
    )


def test_the_environment_comes_before_the_files(tmp_path: Path) -> None:
    host_of(tmp_path)

    assert load({"CLAWBOT_REGION": "us-east-1"}, tmp_path).region == "us-east-1"


def test_everything_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    found = problems({"CLAWBOT_TELEGRAM_WEBHOOK_URL": "https://bot.example/hook"}, tmp_path)

    assert {one.split()[0] for one in found} == {
        "CLAWBOT_INSTANCE",
        "CLAWBOT_REGION",
        "CLAWBOT_CONTROL_API_URL",
        "CLAWBOT_CONTROL_TOKEN",
        "CLAWBOT_AWS_ACCESS_KEY_ID",
        "CLAWBOT_AWS_SECRET_ACCESS_KEY",
        "CLAWBOT_TELEGRAM_WEBHOOK_SECRET",
    }
    assert any("has CLAWBOT_NAME instead" in one for one in found)
    assert sum(f"is not set, and {tmp_path}/" in one for one in found) == 6


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("REGION", "Frankfurt", "must be the fleet's AWS region, as in eu-central-1"),
        ("REGION", " ", "etc/clawdinator/region is not there: it must be the fleet's AWS region"),
        ("CONTROL_API_URL", "abc", "must be the Control API's Function URL, https://…"),
        ("CONTROL_API_URL", "http://api.example/", "must be the Control API's Function URL"),
        ("CONTROL_API_URL", "http://127.0.0.1.example/", "http:// to this machine only"),
        ("EC2_URL", "http://ec2.example/", "must be an EC2 endpoint"),
        ("CONTROL_TOKEN", " ", "is not there: it must be the shared control token"),
        ("AWS_ACCESS_KEY_ID", "two words", "must be the chat key's id, one line"),
        ("OPERATORS", "sam", "`sam` is not <platform>:<user id>, as in discord:8035"),
        ("OPERATORS", "discord:*", "`discord:*` is not <platform>:<user id>"),
        ("OPERATORS", "discord:sam smith", "`discord:sam smith` is not <platform>:<user id>"),
        ("OPERATORS", "discord:1 telegram:2", "more than one account: put commas between them"),
        ("OPERATORS", "telegram:@sam", "`telegram:@sam` is not <platform>:<user id>"),
        ("OPERATORS", "terminal:", "`terminal:` is not <platform>:<user id>"),
        ("OPERATORS", "matrix:1", "`matrix:1` is not <platform>:<user id>"),
        ("NAME", "All Of Us", "must be a name for the bot"),
        ("NAME", "", "CLAWBOT_INSTANCE is not set, and "),
        ("RUNNING_EVERY", "soon", "must be seconds, more than 0"),
        ("WAITING_EVERY", "-1", "must be seconds, more than 0"),
        ("WAITING_EVERY", "601", "must be seconds, more than 0"),
        ("DISCORD_CHANNELS", "general,random", "must be channels' ids, numbers with commas"),
        ("TELEGRAM_WEBHOOK_SECRET", "short", "must be 16 to 256 letters"),
        ("TELEGRAM_WEBHOOK_PORT", "65536", "must be a port"),
        ("TELEGRAM_WEBHOOK_ADDRESS", "bot.example", "must be an address of this machine"),
        ("DISCORD_CHANNELS", f"{2**64}", "must be channels' ids"),
        ("TELEGRAM_CHATS", f"-{2**52}", "must be groups' ids"),
        ("TELEGRAM_CHATS", f"{2**52}", "must be groups' ids"),
        ("OPERATORS", "x" * 99, f"`{'x' * 39}…` is not <platform>:<user id>"),
        (
            "OPERATOR",
            "discord:1",
            "CLAWBOT_OPERATOR is no setting; did you mean CLAWBOT_OPERATORS?",
        ),
        ("DISCORD_CHANEL", "1", "did you mean CLAWBOT_DISCORD_CHANNELS?"),
    ],
)
def test_a_wrong_value_is_named_once_with_what_would_be_right(
    variable: str, value: str, sentence: str
) -> None:
    (found,) = problems({**ENVIRON, f"CLAWBOT_{variable}": value}, Path("/nowhere"))

    assert sentence in found
    assert not re.search("[Ii]nput|[Vv]alue|[Ss]tring|validation", found)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[::1]:1/", "http://localhost:1/"])
def test_what_stays_on_this_machine_may_go_in_the_clear(url: str, tmp_path: Path) -> None:
    assert str(load({**ENVIRON, "CLAWBOT_CONTROL_API_URL": url}, tmp_path).control_api_url) == url


def test_everybody_s_form_of_account_is_taken(tmp_path: Path) -> None:
    operators = "discord:80351110224678912,telegram:777,terminal:sam_smith"

    found = load({**ENVIRON, "CLAWBOT_OPERATORS": f" {operators} , "}, tmp_path).operators

    assert found == tuple(operators.split(","))


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    host_of(tmp_path)

    settings = load({"CLAWBOT_REGION": "", "CLAWBOT_CONTROL_TOKEN": " "}, tmp_path)

    assert settings.region == "eu-central-1"
    assert settings.control_token.get_secret_value() == "a-token-of-some-length"


def test_a_file_is_not_looked_at_where_a_variable_is_set(tmp_path: Path) -> None:
    host_of(tmp_path)
    (tmp_path / "etc/clawdinator/region").write_bytes(b"\xff\xfe")

    assert load({"CLAWBOT_REGION": "us-east-1"}, tmp_path).region == "us-east-1"


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    host_of(tmp_path)
    region = tmp_path / "etc/clawdinator/region"
    region.write_text("\n")

    assert problems({}, tmp_path) == [
        f"CLAWBOT_REGION is not set, and {region} is empty: "
        "it must be the fleet's AWS region, as in eu-central-1"
    ]


def test_what_other_commands_of_ours_read_is_no_slip(tmp_path: Path) -> None:
    elsewhere = dict.fromkeys((NIX_SECRETS, OPERATOR_IDENTITY, BUCKET), "somewhere")

    assert load(ENVIRON | elsewhere, tmp_path).bot == "demo"


def test_of_two_tokens_in_the_secret_the_first_counts(tmp_path: Path) -> None:
    host_of(tmp_path)
    (tmp_path / "run/agenix/clawdinator-control-token").write_text("newer\nolder\n")

    assert load({}, tmp_path).control_token.get_secret_value() == "newer"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    host_of(tmp_path)
    (tmp_path / "etc/clawdinator/region").write_bytes(b"\xff\xfe")

    (found,) = problems({}, tmp_path)

    assert "CLAWBOT_REGION is not set, and " in found
    assert "etc/clawdinator/region can't be read (it is not text): it must be" in found


def test_no_secret_is_shown_whatever_is_wrong(tmp_path: Path) -> None:
    wrong = {**ENVIRON, "CLAWBOT_REGION": "?", "CLAWBOT_AWS_SECRET_ACCESS_KEY": "hush-hush"}
    settings = load(ENVIRON, tmp_path)

    shown = "\n".join([*problems(wrong, tmp_path), repr(settings), str(settings)])

    for secret in ("hush-hush", "a-token-of-some-length", "a-secret-of-some-length", "AKIDEXAMPLE"):
        assert secret not in shown


@pytest.mark.newest
def test_no_secret_is_in_a_log_of_what_was_found() -> None:
    program = (
        "import logging, os; logging.basicConfig(level='DEBUG')\n"
        "from clawbot.settings import load; load(os.environ)"
    )

    told = subprocess.run(  # noqa: S603  (this Python, with words of ours)
        [sys.executable, "-c", program],
        env={**os.environ, **ENVIRON, "PYDANTIC_SETTINGS_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stderr

    assert "'control_token': " in told
    for secret in ("a-token-of-some-length", "a-secret-of-some-length", "AKIDEXAMPLE"):
        assert secret not in told


TOLD = {
    "CLAWBOT_DISCORD_TOKEN": "discord-token",
    "CLAWBOT_DISCORD_GUILD": "90",
    "CLAWBOT_DISCORD_FLEET_CHANNEL": "91",
    "CLAWBOT_DISCORD_FLEET_CALLS": "801, &55",
    "CLAWBOT_TELEGRAM_TOKEN": "telegram-token",
    "CLAWBOT_TELEGRAM_CHATS": "-1001, -1002",
    "CLAWBOT_TELEGRAM_FLEET_CHAT": "-1002/5",
    "CLAWBOT_TELEGRAM_FLEET_CALLS": "777",
}


def test_a_channel_of_the_fleet_and_whom_to_call_there_are_read(tmp_path: Path) -> None:
    settings = load(ENVIRON | TOLD, tmp_path)

    assert settings.discord_fleet_channel == 91
    assert settings.discord_fleet_calls == ("801", "&55")
    assert settings.telegram_fleet_chat == "-1002/5"
    assert settings.telegram_fleet_calls == (777,)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"DISCORD_FLEET_CHANNEL": ""},
            "DISCORD_FLEET_CALLS is set, and no channel to call them in: "
            "set CLAWBOT_DISCORD_FLEET_CHANNEL too, or leave it out",
        ),
        (
            {"TELEGRAM_FLEET_CHAT": ""},
            "TELEGRAM_FLEET_CALLS is set, and no channel to call them in: "
            "set CLAWBOT_TELEGRAM_FLEET_CHAT too, or leave it out",
        ),
        (
            {"DISCORD_TOKEN": ""},
            "DISCORD_FLEET_CHANNEL is set, and no token for Discord: "
            "set CLAWBOT_DISCORD_TOKEN too, or leave it out",
        ),
        (
            {"TELEGRAM_TOKEN": ""},
            "TELEGRAM_FLEET_CHAT is set, and no token for Telegram: "
            "set CLAWBOT_TELEGRAM_TOKEN too, or leave it out",
        ),
        (
            {"TELEGRAM_FLEET_CHAT": "-1003/5"},
            "TELEGRAM_FLEET_CHAT is none of the fleet's groups: "
            "it must be one of CLAWBOT_TELEGRAM_CHATS, with a topic of it or without",
        ),
        (
            {"DISCORD_FLEET_CALLS": "801, &90"},
            "DISCORD_FLEET_CALLS names the guild, whose role is everybody's: "
            "name a role that not everybody has",
        ),
        (
            {"DISCORD_FLEET_CALLS": ",".join(map(str, range(1, 12)))},
            "DISCORD_FLEET_CALLS names too many: at most 10 can be called at once",
        ),
        (
            {"TELEGRAM_FLEET_CALLS": "-5"},
            "TELEGRAM_FLEET_CALLS is wrong: it must be users' ids, numbers with commas",
        ),
        (
            {"DISCORD_FLEET_CALLS": "@oncall"},
            "DISCORD_FLEET_CALLS is wrong: it must be users' ids, and roles' as in ",
        ),
    ],
)
def test_a_channel_of_the_fleet_that_cannot_be_told_is_named_with_what_would_be_right(
    tmp_path: Path, changed: dict[str, str], sentence: str
) -> None:
    names = {f"CLAWBOT_{name}": value for name, value in changed.items()}

    (found,) = problems(ENVIRON | TOLD | names, tmp_path)

    assert found.startswith(f"CLAWBOT_{sentence}")


def test_on_a_host_one_of_both_may_have_no_token(tmp_path: Path) -> None:
    """The settings of every host's bot are the same, and the registry says which tokens it has."""
    host = TOLD | {"CLAWBOT_INSTANCE": "clawdinator-1", "CLAWBOT_DISCORD_TOKEN": ""}

    settings = load(ENVIRON | host, tmp_path)

    assert settings.discord_token is None
    assert settings.telegram_fleet_chat == "-1002/5"


def test_all_that_is_wrong_with_both_is_told_at_once(tmp_path: Path) -> None:
    without = {name: "" for name in TOLD if name.endswith(("_TOKEN", "_CHANNEL", "_CHATS"))}

    found = problems(ENVIRON | TOLD | without, tmp_path)

    assert [one.split()[0] for one in found] == [
        "CLAWBOT_DISCORD_FLEET_CALLS",
        "CLAWBOT_TELEGRAM_FLEET_CHAT",
    ]


def test_ten_can_be_called_at_once(tmp_path: Path) -> None:
    ten = ",".join(map(str, range(1, 11)))

    settings = load(ENVIRON | TOLD | {"CLAWBOT_DISCORD_FLEET_CALLS": ten}, tmp_path)

    assert len(settings.discord_fleet_calls) == 10


def test_nothing_is_read_when_the_module_is_imported() -> None:
    assert Settings.model_fields["region"].is_required()


def test_a_service_reads_its_secrets_where_systemd_put_them(tmp_path: Path) -> None:
    host_of(tmp_path)
    handed = tmp_path / "credentials/clawdinator-control-token"
    handed.parent.mkdir()
    handed.write_text("a-token-for-the-service\n")

    settings = load({"CREDENTIALS_DIRECTORY": str(handed.parent)}, tmp_path)

    assert settings.control_token.get_secret_value() == "a-token-for-the-service"
    assert settings.aws_access_key_id.get_secret_value() == "AKIDEXAMPLE"


def token(root: Path, environ: dict[str, str] | None = None, **entry: str) -> str:
    """The bot's Discord token, on the host of an instance with that entry in the registry."""
    host_of(root)
    entries = json.loads(registry("clawdinator-1"))
    entries["clawdinator-1"] |= entry
    (root / "var/lib/clawd/repos/clawdinators/nix/instances.json").write_text(json.dumps(entries))
    for name in ("clawdinator-1-token", "clawbot-1-token"):
        (root / "run/agenix" / name).write_text(f"{name}'s\n")
    settings = load(environ or {}, root)
    return settings.discord_token.get_secret_value() if settings.discord_token else ""


def test_the_agent_s_token_is_none_of_the_bot_s(tmp_path: Path) -> None:
    assert token(tmp_path) == ""
    assert token(tmp_path, telegramTokenSecret="telegram-token") == ""
    assert load({}, tmp_path).telegram_token is None


def test_one_platform_s_own_token_serves_no_other(tmp_path: Path) -> None:
    entry = {"telegramTokenSecret": "clawdinator-1-token", "discordTokenSecret": "other"}
    entry["clawbotDiscordTokenSecret"] = "clawbot-1-token"

    assert token(tmp_path, None, **entry) == "clawbot-1-token's"
    assert load({}, tmp_path).telegram_token is None


def test_the_token_of_the_bot_s_own_application_is_the_bot_s(tmp_path: Path) -> None:
    assert token(tmp_path, clawbotDiscordTokenSecret="clawbot-1-token") == "clawbot-1-token's"


def test_a_token_in_the_environment_comes_before_both(tmp_path: Path) -> None:
    mine = {"CLAWBOT_DISCORD_TOKEN": "mine"}

    assert token(tmp_path, mine, clawbotDiscordTokenSecret="clawbot-1-token") == "mine"


@pytest.mark.parametrize(
    ("variable", "mine", "field", "agents"),
    [
        ("CLAWBOT_DISCORD_TOKEN", "MTA0OTg3NjU0MzIxMDk4NzY1NA.GAbCdE.x-_y", "discordUserId",
         "1049876543210987654"),
        ("CLAWBOT_TELEGRAM_TOKEN", "7262716152:AAx-_y", "telegramUserId", "7262716152"),
    ],
)  # fmt: skip
def test_a_token_of_an_agent_s_account_is_told_and_not_shown(
    tmp_path: Path, variable: str, mine: str, field: str, agents: str
) -> None:
    host_of(tmp_path)
    file = tmp_path / "var/lib/clawd/repos/clawdinators/nix/instances.json"
    entries = json.loads(registry("clawdinator-1", "clawdinator-2"))
    entries["clawdinator-2"][field] = agents
    file.write_text(json.dumps(entries))

    assert problems({variable: mine}, tmp_path) == [
        f"{variable} is of the account that speaks as clawdinator-2: the bot needs one of its own"
    ]
    entries["clawdinator-2"][field] = "1234567890"
    file.write_text(json.dumps(entries))
    assert load({variable: mine}, tmp_path).bot == "clawdinator-1"


def test_a_secret_that_is_not_there_is_no_token(tmp_path: Path) -> None:
    assert token(tmp_path, clawbotDiscordTokenSecret="elsewhere") == ""


@pytest.mark.parametrize(
    "quotes", ['""', "''", "``", "«»", "\u201c\u201d", "\u201e\u201c", "\u2018\u2019"]
)
def test_each_that_stands_in_quotes_is_told_and_not_shown(tmp_path: Path, quotes: str) -> None:
    host_of(tmp_path)
    left, right = quotes[0], quotes[1]
    (tmp_path / "etc/clawdinator/region").write_text(f"{left}eu-central-1{right}\n")
    secret = f"{left}a-secret{right}"

    found = problems({"CLAWBOT_DISCORD_TOKEN": secret, "CLAWBOT_OPERATORS": "''"}, tmp_path)

    assert found == [
        "CLAWBOT_OPERATORS stands in quotes: leave them out",
        f"CLAWBOT_REGION is not set, and {tmp_path}/etc/clawdinator/region stands in quotes: "
        "leave them out",
        "CLAWBOT_DISCORD_TOKEN stands in quotes: leave them out",
    ]


@pytest.mark.parametrize("token", ['"', '"a', 'a"', 'a"b', "\"a'"])
def test_a_quote_that_has_no_other_is_a_character_like_any(tmp_path: Path, token: str) -> None:
    settings = load({**ENVIRON, "CLAWBOT_DISCORD_TOKEN": token}, tmp_path)

    assert settings.discord_token
    assert settings.discord_token.get_secret_value() == token


def test_below_what_is_no_folder_no_file_is_there() -> None:
    settings = load(ENVIRON, Path(os.devnull))

    assert settings.bot == ENVIRON["CLAWBOT_NAME"]


def test_the_largest_numbers_are_taken(tmp_path: Path) -> None:
    most = {
        "CLAWBOT_RUNNING_EVERY": "600",
        "CLAWBOT_DISCORD_CHANNELS": f"{2**64 - 1}",
        "CLAWBOT_TELEGRAM_CHATS": f"{1 - 2**52},{2**52 - 1}",
        "CLAWBOT_TELEGRAM_WEBHOOK_PORT": "65535",
    }

    assert load({**ENVIRON, **most}, tmp_path).discord_channels == (2**64 - 1,)


def test_a_webhook_is_this_machines_unless_told(tmp_path: Path) -> None:
    told = {**ENVIRON, "CLAWBOT_TELEGRAM_WEBHOOK_ADDRESS": "0.0.0.0"}  # noqa: S104  (what is meant)

    assert load(ENVIRON, tmp_path).telegram_webhook_address == "127.0.0.1"
    assert load(told, tmp_path).telegram_webhook_address == "0.0.0.0"  # noqa: S104  (as above)


def test_without_a_port_it_listens_on_one_that_telegram_calls(tmp_path: Path) -> None:
    assert load(ENVIRON, tmp_path).telegram_webhook_port in (80, 88, 443, 8443)


def test_every_secret_is_among_those_that_no_line_may_have(tmp_path: Path) -> None:
    given = {"CLAWBOT_DISCORD_TOKEN": "of-discord", "CLAWBOT_TELEGRAM_TOKEN": "7:of-telegram"}
    found = load(ENVIRON | given, tmp_path)
    named = ("CONTROL_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    secrets = {ENVIRON[f"CLAWBOT_{name}"] for name in named}
    assert set(found.secrets) == secrets | set(given.values())
