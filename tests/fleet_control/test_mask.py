"""No secret passes the mask in any form of its own, and words of a journal do."""

import base64
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from fleet_control.mask import MASK, masked

KNOWN = 'correct horse/battery+9"x'
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\nZZx=\n-----END RSA PRIVATE KEY-----"


def _base64(lead: int, one: str) -> str:
    return base64.b64encode(b"a" * lead + one.encode()).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": json.dumps,
    "in JSON with slashes": lambda one: json.dumps(one).replace("/", "\\/"),
    "in a URL": lambda one: quote(one, safe=""),
    "in a path": quote,
    "in a form": quote_plus,
    "in a URL of small letters": lambda one: quote(one, safe="").replace("%2F", "%2f"),
    "in Python": repr,
    "in two lines": lambda one: f"{one[:9]}\n{one[9:]}",
    "a letter a line": "\n".join,
    "in hexadecimal": lambda one: one.encode().hex(),
    "in base64": lambda one: _base64(0, one),
    "in base64 behind a letter": lambda one: _base64(1, one),
    "in base64 behind two": lambda one: _base64(2, one),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_known_secret_is_masked_however_it_is_written(form: Callable[[str], str]) -> None:
    said = masked(f"no <{form(KNOWN)}> here", [f"{KNOWN}\n"])

    assert MASK in said
    assert said.startswith("no <")
    for part in (KNOWN[:8], KNOWN[-8:], form(KNOWN)[4:16]):
        assert part not in said


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password=short1 x", "short1"),
        ("Token: 'a b c'", "a b c"),
        ('{"api_key": "abc def", "x": 1}', "abc def"),
        ('{\\"token\\":\\"abcd\\"}', "abcd"),
        ("os.environ['DISCORD_TOKEN'] = 'abcd'", "abcd"),
        ("('password', 'abcd')", "abcd"),
        ("a%3Ftoken%3Dabcd%26x", "abcd"),
        ("GET /x?X-Amz-Signature=abcd&y", "abcd"),
        ("clawdinator --token hunter2x --port 80", "hunter2x"),
        ("the password is hunter22", "hunter22"),
        ("passphrase: correct horse battery", "horse"),
        ("Authorization: Bearer abcd", "abcd"),
        ('{"Authorization": "Bot abcd", "status": 401}', "abcd"),
        ("-H 'Authorization: Basic dXNlcjpwYXNz'", "dXNlcjpwYXNz"),
        ("Set-Cookie: a=abcd; Path=/", "abcd"),
        ("sent bearer abc.def-ghi", "abc.def-ghi"),
        ("postgres://user:p@ss/w@host/db", "p@ss/w"),
        ("https://ghp_ab@github.com/x", "ghp_ab"),
        ("postgres%3A%2F%2Fuser%3Apass%40host", "pass"),
        (f"read {PEM} it", "MIIEabc"),
        (PEM.partition("\n")[2], "MIIEabc"),
        (PEM.replace("\n", "\\n"), "MIIEabc"),
        (PEM[:45], "MIIEabc"),
        ("with AKIAIOSFODNN7EXAMPLE in it", "AKIA"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "K7MDENG"),
        ("got QWxhZGRpbjpvcGVuIHNlc2FtZQ== back", "QWxhZG"),
        ("got fooKDHaZuqkQWEbdkKJhqwOPsxlkWQ back", "KDHaZ"),
        ("x aB3dE5gH7j\nK9mN1pQ3sT5u rest", "K9mN1"),
        ("123456789:AAabcdefghijklmnopqrstuvwxyz0123456", "AAabc"),
    ],
)
def test_what_nobody_knows_and_looks_like_a_secret_is_masked(text: str, secret: str) -> None:
    said = masked(text)

    assert secret in text
    assert secret not in said
    assert MASK in said
    assert masked(said) == said


@pytest.mark.parametrize(
    "text",
    [
        "Main process exited, code=exited, status=1/FAILURE",
        "KeyError: 'port'",
        "no token found; token expired",
        'File "/nix/store/abc/lib/python3.13/site-packages/clawbot/x.py", line 12, in main',
        "2026-11-27T05:00:00.123Z ami-0123456789abcdef0 i-0123456789abcdef0",
        "AbstractSingletonProxyFactoryBeanCreatorSomething",
        "clawdinator.service: Scheduled restart job, restart counter is at 12.",
    ],
)
def test_words_that_tell_why_stay(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("piece", ["://", "key", "-key", "aaaa\n", '\\"', "-----END X-----\n"])
def test_no_text_takes_it_long(piece: str) -> None:
    began = time.monotonic()
    masked(piece * (200_000 // len(piece)), ["some secret"])

    assert time.monotonic() - began < 20


@pytest.mark.parametrize("flood", ["\\/", "A/", "-----END x-----\n", 'token"', "key ", "://", "\\"])
def test_a_console_full_of_one_thing_is_read_in_time(flood: str) -> None:
    began = time.process_time()
    masked(flood * (65_536 // len(flood)))

    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("MODEL_API=correct-horse-battery-staple", "refused for correct-horse-battery-staple"),
        ('{"user": "me", "password": "hunter-two-winter"}', "refused for hunter-two-winter"),
        ("olga-of-the-fleet,sam-of-the-desk", "sam-of-the-desk is not here"),
        ("name: quiet-river-stone", "quiet-river-stone"),
    ],
)
def test_a_part_of_a_secret_that_means_something_by_itself_is_masked(file: str, said: str) -> None:
    told = masked(said, [file])

    assert MASK in told
    for part in ("correct-horse", "hunter-two", "sam-of", "quiet-river"):
        assert part not in told


@pytest.mark.parametrize(
    "secret",
    [
        "sk-ant-abcdefgh",
        "ghp_abcdefghijklmnop",
        "xoxb-abcdefghijklmnop",
        "hf_abcdefghij",
        "https://discord.com/api/webhooks/123/abcdefghijk",
        "https://hooks.slack.com/services/TABC/BABC/abcdefgh",
    ],
)
def test_what_an_issuer_of_keys_makes_is_known_by_its_beginning(secret: str) -> None:
    told = masked(f"it would not take {secret} today")

    assert MASK in told
    assert "abcdefgh" not in told
    assert told.startswith("it would not take ")
    assert told.endswith(" today")


def test_what_is_coded_in_eight_letters_is_masked_and_less_would_be_in_innocent_words() -> None:
    assert masked("got aHVudGVy back", ["hunter"]) == f"got {MASK} back"
    assert masked("got h1bnRlc back", ["hunter"]) == "got h1bnRlc back"
