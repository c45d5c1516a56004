"""Every setting that is missing or wrong is named at once, and no secret is ever shown."""

from pathlib import Path

import pytest

from clawbot.settings import Settings, SettingsError, load

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
    found = "\n".join(problems({}, tmp_path))

    for variable in (
        "CLAWBOT_REGION",
        "CLAWBOT_CONTROL_API_URL",
        "CLAWBOT_CONTROL_TOKEN",
        "CLAWBOT_AWS_ACCESS_KEY_ID",
        "CLAWBOT_AWS_SECRET_ACCESS_KEY",
    ):
        assert f"{variable} (or the file /" in found


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("CLAWBOT_REGION", "Frankfurt", "CLAWBOT_REGION"),
        ("CLAWBOT_REGION", "", "CLAWBOT_REGION"),
        ("CLAWBOT_CONTROL_API_URL", "abc", "CLAWBOT_CONTROL_API_URL"),
        ("CLAWBOT_CONTROL_TOKEN", " ", "CLAWBOT_CONTROL_TOKEN"),
        ("CLAWBOT_OPERATORS", "sam", "`sam` is not <platform>:<user id>"),
        ("CLAWBOT_NAME", "All Of Us", "CLAWBOT_NAME"),
        ("CLAWBOT_NAME", "", "CLAWBOT_INSTANCE"),
        ("CLAWBOT_RUNNING_EVERY", "soon", "CLAWBOT_RUNNING_EVERY"),
        ("CLAWBOT_WAITING_EVERY", "-1", "CLAWBOT_WAITING_EVERY"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(
    variable: str, value: str, sentence: str, tmp_path: Path
) -> None:
    found = problems({**ENVIRON, variable: value}, tmp_path)

    assert len(found) == 1
    assert sentence in found[0]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    host_of(tmp_path)
    (tmp_path / "etc/clawdinator/region").write_bytes(b"\xff\xfe")

    assert any("etc/clawdinator/region can't be read" in one for one in problems({}, tmp_path))


def test_no_secret_is_shown_whatever_is_wrong(tmp_path: Path) -> None:
    wrong = {**ENVIRON, "CLAWBOT_REGION": "?", "CLAWBOT_AWS_SECRET_ACCESS_KEY": "hush-hush"}
    settings = load(ENVIRON, tmp_path)

    shown = "\n".join([*problems(wrong, tmp_path), repr(settings), str(settings)])

    for secret in ("hush-hush", "a-token-of-some-length", "a-secret-of-some-length", "AKIDEXAMPLE"):
        assert secret not in shown


def test_nothing_is_read_when_the_module_is_imported() -> None:
    assert Settings.model_fields["region"].is_required()


def test_a_service_reads_its_secrets_where_systemd_put_them(tmp_path: Path) -> None:
    host_of(tmp_path)
    credentials = tmp_path / "credentials"
    (tmp_path / "run/agenix").rename(credentials)
    (tmp_path / "run/agenix").mkdir()

    settings = load({"CREDENTIALS_DIRECTORY": str(credentials)}, tmp_path)

    assert settings.bot == "clawdinator-1"
    assert settings.control_token.get_secret_value() == "a-token-of-some-length"
