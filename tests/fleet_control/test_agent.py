"""As whom the command speaks: variables before files, and everything wrong named at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import HttpUrl, SecretStr

from fleet_control import agent
from fleet_control.caller import BotInstance
from fleet_control.error import SettingsError
from fleet_control.settings import REGISTRY

FILES = {
    "etc/clawdinator/instance": "claw-1\n",
    "etc/clawdinator/control-api-url": "https://control.test/\n",
    "etc/clawdinator/region": "eu-central-1\n",
    "run/agenix/clawdinator-control-token": "newer\nolder\n",
    "run/agenix/clawdinator-control-aws-access-key-id": "AKIAFILE\n",
    "run/agenix/clawdinator-control-aws-secret-access-key": "hush\n",
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A host's files, and nothing in the environment but where they are."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {"FLEET_CONTROL_ROOT": str(tmp_path)}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        agent.load(environ)
    return raised.value.problems


def test_a_host_needs_no_variables(environ: dict[str, str], tmp_path: Path) -> None:
    found = agent.load(environ)

    assert found.caller == BotInstance("claw-1")
    assert (str(found.api_url), found.region) == ("https://control.test/", "eu-central-1")
    secrets = (found.token, found.aws_access_key_id, found.aws_secret_access_key)
    assert [one.get_secret_value() for one in secrets] == ["newer", "AKIAFILE", "hush"]
    assert (found.ec2_url, found.poll_seconds) == (None, 10.0)
    assert found.registry_file == tmp_path / REGISTRY.path
    assert found.request_id("42") == "agent.claw-1.cli.42"


def test_a_variable_stands_before_its_file(environ: dict[str, str]) -> None:
    environ |= {
        "FLEET_CONTROL_INSTANCE": "claw-2",
        "FLEET_CONTROL_API_URL": "http://127.0.0.1:1/",
        "FLEET_CONTROL_REGION": "us-east-1",
        "FLEET_CONTROL_TOKEN": "t",
        "FLEET_CONTROL_AWS_ACCESS_KEY_ID": "a",
        "FLEET_CONTROL_AWS_SECRET_ACCESS_KEY": "s",
        "FLEET_CONTROL_REGISTRY_FILE": "/elsewhere.json",
        "FLEET_CONTROL_EC2_URL": "http://localhost:2",
        "FLEET_CONTROL_PLACE": "heartbeat",
        "FLEET_CONTROL_POLL_SECONDS": "0.5",
    }

    assert agent.load(environ).model_dump() == {
        "instance": "claw-2",
        "api_url": HttpUrl("http://127.0.0.1:1/"),
        "region": "us-east-1",
        "token": SecretStr("t"),
        "aws_access_key_id": SecretStr("a"),
        "aws_secret_access_key": SecretStr("s"),
        "ec2_url": HttpUrl("http://localhost:2"),
        "registry_file": Path("/elsewhere.json"),
        "place": "heartbeat",
        "poll_seconds": 0.5,
    }


def test_everything_missing_is_named_at_once(tmp_path: Path) -> None:
    found = problems({"FLEET_CONTROL_ROOT": str(tmp_path)})

    assert [one.split()[0] for one in found] == [
        "FLEET_CONTROL_INSTANCE",
        "FLEET_CONTROL_API_URL",
        "FLEET_CONTROL_REGION",
        "FLEET_CONTROL_TOKEN",
        "FLEET_CONTROL_AWS_ACCESS_KEY_ID",
        "FLEET_CONTROL_AWS_SECRET_ACCESS_KEY",
    ]
    for one, file in zip(found, FILES, strict=True):
        assert f"{tmp_path / file} is not there: it must be" in one


def test_an_empty_file_and_one_that_can_not_be_read_are_told_apart(
    environ: dict[str, str], tmp_path: Path
) -> None:
    url, region, token = (tmp_path / name for name in list(FILES)[1:4])
    region.write_text(" \n\n")
    url.write_bytes(b"\xff\xfe")
    token.unlink()
    token.mkdir()

    assert problems(environ) == [
        f"FLEET_CONTROL_API_URL is not set, and {url} can't be read (it is not text): "
        "it must be the Control API's Function URL, https://… (http:// to this machine only)",
        f"FLEET_CONTROL_REGION is not set, and {region} is empty: "
        "it must be the fleet's AWS region, as in eu-central-1",
        f"FLEET_CONTROL_TOKEN is not set, and {token} can't be read (Is a directory): "
        "it must be the shared control token, one line of printable characters without spaces",
    ]


def test_files_of_another_user_say_as_whom_to_ask(environ: dict[str, str], tmp_path: Path) -> None:
    for file in FILES:
        (tmp_path / file).chmod(0)

    with nobody():
        told = problems(environ)

    assert len(told) == len(FILES)
    for one in told:
        assert one.endswith(" is not yours to read: ask as the agent's user, or as root")


@contextmanager
def nobody() -> Iterator[None]:
    """Root reads what nobody else may; any other user is somebody else already."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("variable", "value", "must"),
    [
        ("INSTANCE", "all", "must be the id of this host's instance"),
        ("INSTANCE", "Claw 1", "must be the id of this host's instance"),
        ("API_URL", "control.test", "must be the Control API's Function URL"),
        ("API_URL", "http://control.test/", "must be the Control API's Function URL"),
        ("API_URL", "https://[", "must be the Control API's Function URL"),
        ("REGION", "frankfurt", "must be the fleet's AWS region"),
        ("TOKEN", "two words", "control token, one line"),
        ("AWS_SECRET_ACCESS_KEY", "schlüssel", "secret key, one line"),
        ("EC2_URL", "http://ec2.test", "must be an EC2 endpoint"),
        ("PLACE", "a.b", "must be at most 20 letters"),
        ("POLL_SECONDS", "0", "must be seconds"),
        ("POLL_SECONDS", "soon", "must be seconds"),
        ("POLL_SECONDS", "1000", "must be seconds"),
    ],
)
def test_what_is_wrong_is_named_with_what_would_be_right(
    environ: dict[str, str], variable: str, value: str, must: str
) -> None:
    (problem,) = problems({**environ, f"FLEET_CONTROL_{variable}": value})

    assert problem.startswith(f"FLEET_CONTROL_{variable} ")
    assert must in problem
    assert f"`{value}`" not in problem


def test_no_secret_is_in_its_repr(environ: dict[str, str]) -> None:
    shown = repr(agent.load(environ))

    assert not any(secret in shown for secret in ("newer", "AKIAFILE", "hush"))


def test_it_looks_every_ten_seconds_and_may_every_999(environ: dict[str, str]) -> None:
    environ.pop("FLEET_CONTROL_POLL_SECONDS", None)

    assert agent.load(environ).poll_seconds == 10
    assert agent.load({**environ, "FLEET_CONTROL_POLL_SECONDS": "999"}).poll_seconds == 999
