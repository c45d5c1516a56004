"""Credentials that can't be had are told at the desk in a sentence that says what to do."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path

import pytest

from clawbot.cli import main
from tests.http_server import listening
from tests.provision.operator_shell import REGISTRY

SSO = """
[profile sso]
sso_session = work
sso_account_id = 123456789012
sso_role_name = operator
region = eu-central-1
[sso-session work]
sso_start_url = https://work.example/start
sso_region = eu-central-1
"""
OF_BEFORE = """
[profile sso]
sso_start_url = https://work.example/start
sso_region = eu-central-1
sso_account_id = 123456789012
sso_role_name = operator
region = eu-central-1
"""
IN = "aws sso login --profile sso`, then the same again"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUt"}
REGION = {"AWS_REGION": "eu-central-1"}


def process(command: str) -> str:
    return f"[profile broken]\nregion = eu-central-1\ncredential_process = {command}\n"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shell with nothing of AWS in it, in a checkout."""
    for name in filter(lambda one: one.startswith("AWS_"), list(os.environ)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / "nix").mkdir()
    (tmp_path / "nix/instances.json").write_text(json.dumps(REGISTRY))
    (tmp_path / "nix/facts.json").write_text(json.dumps({"bootstrapBucket": "bucket"}))
    return tmp_path


def sign_on_of(desk: Path, name: str, until: str) -> None:
    """What the last `aws sso login` left."""
    cache = desk / ".aws/sso/cache"
    cache.mkdir(parents=True)
    token = {"accessToken": "secret-token", "expiresAt": until, "region": "eu-central-1"}
    file = cache / f"{hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()}.json"
    file.write_text(json.dumps(token))


@pytest.mark.parametrize(
    ("config", "environ", "told"),
    [
        ("", {"AWS_PROFILE": "nope"}, "There is no AWS profile `nope`: set AWS_PROFILE to one "),
        ("", {"AWS_DEFAULT_PROFILE": "nope"}, "aws configure sso --profile nope`."),
        ("", {"AWS_PROFILE": "nope", **KEYS, **REGION}, "There is no AWS profile `nope`"),
        (SSO, {"AWS_PROFILE": "sso"}, IN),
        (OF_BEFORE, {"AWS_PROFILE": "sso"}, IN),
        (
            "[profile sso]\nsso_account_id = 1\nregion = eu-central-1\n",
            {"AWS_PROFILE": "sso"},
            "sso_start_url",
        ),
        (
            process("false"),
            {"AWS_PROFILE": "broken"},
            "of profile `broken` can't be had: custom-pro",
        ),
        (process("echo s3cret"), {"AWS_PROFILE": "broken"}, "`broken` names as its credential_pr"),
        (
            process("/no/such"),
            {"AWS_PROFILE": "broken"},
            "What profile `broken` names as its credential_process can't be run, or does not say",
        ),
        ("", REGION, "There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_K"),
        ("", {"AWS_ACCESS_KEY_ID": "AKIA", **REGION}, "AWS_SECRET_ACCESS_KEY is missing"),
        ("", {"AWS_SECRET_ACCESS_KEY": "s3cret", **REGION}, "AWS_ACCESS_KEY_ID"),
        ("[profile x", {"AWS_PROFILE": "x"}, "config can't be read as the AWS CLI's config"),
        ("", KEYS, "AWS_REGION is not set: the fleet's, as in eu-central-1."),
        ("", {**KEYS, "AWS_REGION": "not a region"}, "AWS_REGION is no region"),
        ("", {**KEYS, **REGION, "AWS_ENDPOINT_URL": "nonsense"}, "AWS_ENDPOINT_URL is no URL"),
        (
            "",
            {**KEYS, **REGION, "AWS_RETRY_MODE": "nonsense"},
            "AWS's settings in the environment are wrong (InvalidRetryModeError).",
        ),
        ("", {**KEYS, **REGION, "AWS_MAX_ATTEMPTS": "many"}, "or another AWS_… variable is wrong"),
        ("", {**KEYS, **REGION, "HTTPS_PROXY": "http://me:s3cret@p:x"}, "HTTPS_PROXY, or the addr"),
        (
            "",
            {**KEYS, **REGION, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"},
            "S3 can't be reached",
        ),
    ],
)
def test_each_has_its_sentence(
    desk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    config: str,
    environ: Mapping[str, str],
    told: str,
) -> None:
    (desk / "config").write_text(config)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    code = main(["bundle", "--checkout", str(desk), "forget", "bootstrap/gone"], os.environ)

    said = capsys.readouterr()
    assert (code, said.out) == (1, "")
    assert told in said.err
    assert said.err.count("\n") == 1
    assert "s3cret" not in said.err


@pytest.mark.parametrize(
    ("config", "name"), [(SSO, "work"), (OF_BEFORE, "https://work.example/start")]
)
def test_a_sign_on_that_has_ended_is_to_be_made_anew(
    desk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    config: str,
    name: str,
) -> None:
    (desk / "config").write_text(config)
    sign_on_of(desk, name, "2020-01-01T00:00:00Z")
    monkeypatch.setenv("AWS_PROFILE", "sso")

    code = main(["secrets", "--checkout", str(desk), "check"], os.environ)

    said = capsys.readouterr()
    assert code == 1
    assert IN in said.err
    assert "secret-token" not in said.err


@pytest.mark.parametrize(
    "command",
    [
        ("secrets", "make", "all"),
        ("secrets", "check"),
        ("secrets", "sync"),
        ("secrets", "rotate", "clawdinator-1"),
        ("secrets", "retire", "clawdinator-1"),
        ("secrets", "forget", "clawdinator-9"),
        ("bundle", "forget", "bootstrap/clawdinator-9"),
    ],
)
def test_every_command_that_asks_aws_tells_it(
    desk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nope")
    room, *rest = command

    code = main([room, "--checkout", str(desk), *rest], os.environ)

    assert code == 1
    assert capsys.readouterr().err.startswith("There is no AWS profile `nope`")


@pytest.mark.parametrize(("off", "told"), [(1200, "20 min behind"), (-1200, "20 min ahead of")])
@pytest.mark.parametrize(
    ("status", "code", "command"),
    [
        (403, "RequestTimeTooSkewed", ("bundle", "forget", "bootstrap/gone")),
        (403, "SignatureDoesNotMatch", ("secrets", "forget", "clawdinator-9")),
    ],
)
def test_a_clock_that_is_wrong_is_told_as_that(
    desk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
    code: str,
    command: tuple[str, ...],
    off: float,
    told: str,
) -> None:
    (desk / ".config/clawbot").mkdir(parents=True)
    (desk / "nix-secrets").mkdir()
    monkeypatch.setenv("CLAWBOT_NIX_SECRETS", str(desk / "nix-secrets"))
    main(["secrets", "--checkout", str(desk), "operator"], os.environ)

    def refused(*_: object) -> tuple[int, dict[str, str], bytes]:
        words = f"<Code>{code}</Code><Message>Signature expired</Message>"
        body = f"<Error>{words}</Error>" if command[0] == "bundle" else _of_iam(words)
        date = formatdate(time.time() + off, usegmt=True)
        return status, {"Date": date, "Content-Type": "text/xml"}, body.encode()

    with listening(refused) as url:
        for name, value in {**KEYS, **REGION, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, value)
        room, *rest = command
        capsys.readouterr()
        assert main([room, "--checkout", str(desk), *rest], os.environ) == 1

    assert f"This machine's clock is {told} AWS's clock. " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            "ExpiredToken",
            "These AWS credentials have ended (ExpiredToken). Sign in again: `aws sso ",
        ),
        ("InvalidAccessKeyId", "AWS does not know these credentials (InvalidAccessKeyId): set oth"),
        ("AccessDenied", "these credentials may not"),
    ],
)
def test_what_aws_says_of_credentials_is_told_with_what_to_do(
    desk: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    code: str,
    told: str,
) -> None:
    body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
    with listening(lambda *_: (403, {"Content-Type": "text/xml"}, body)) as url:
        for name, value in {**KEYS, **REGION, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, value)

        code_ = main(["bundle", "--checkout", str(desk), "forget", "bootstrap/gone"], os.environ)

    assert code_ == 1
    assert told in capsys.readouterr().err


def test_a_profile_that_asks_for_a_code_is_for_a_terminal(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk / "config").write_text(
        "[profile mfa]\nregion = eu-central-1\nrole_arn = arn:aws:iam::123456789012:role/operator\n"
        "source_profile = own\nmfa_serial = arn:aws:iam::123456789012:mfa/sam\n"
        "[profile own]\naws_access_key_id = AKIA\naws_secret_access_key = s3cret\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "mfa")
    command = ["-m", "clawbot", "bundle", "--checkout", str(desk), "forget", "bootstrap/gone"]

    ended = subprocess.run(  # noqa: S603  (this interpreter and a module of ours)
        [sys.executable, *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # without a terminal to ask at
    )

    assert ended.returncode == 1
    assert ended.stderr.endswith("`mfa` asks for a code (MFA): type this at a terminal.\n")
    assert "Traceback" not in ended.stderr


def _of_iam(words: str) -> str:
    kind = "<Type>Sender</Type>"
    return f"<ErrorResponse><Error>{kind}{words}</Error><RequestId>x</RequestId></ErrorResponse>"
