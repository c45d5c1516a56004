"""`clawbot run` says in a sentence why it can't."""

import pytest

from clawbot.serve import serve

SETTINGS = {
    "CLAWBOT_NAME": "demo",
    "CLAWBOT_REGION": "eu-central-1",
    "CLAWBOT_CONTROL_API_URL": "http://127.0.0.1:1/",
    "CLAWBOT_CONTROL_TOKEN": "token",
    "CLAWBOT_AWS_ACCESS_KEY_ID": "AK",
    "CLAWBOT_AWS_SECRET_ACCESS_KEY": "secret",
}


def test_without_settings_it_names_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve({}) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "clawbot can't serve:"
    assert len(said) == 7


def test_without_a_token_there_is_no_front(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(SETTINGS) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  No front is configured: set CLAWBOT_DISCORD_TOKEN or CLAWBOT_TELEGRAM_TOKEN."
    ]
