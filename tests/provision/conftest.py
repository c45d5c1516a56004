"""An AWS account that is empty at first, and an operator's shell with its keys."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.image import images
from sandbox.moto import MotoServer
from tests.provision.account import StagedAccount, make_account
from tests.provision.operator_shell import REGISTRY, Operator


@pytest.fixture(scope="session")
def moto_process(python: Path) -> Iterator[str]:
    server = MotoServer(images(0), python=python)
    yield asyncio.run(server.start())
    asyncio.run(server.stop())


@pytest.fixture
def account(moto_process: str) -> StagedAccount:
    return make_account(moto_process)


@pytest.fixture
def operator(
    tmp_path: Path,
    account: StagedAccount,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Operator:
    one = Operator(tmp_path, account, capsys, monkeypatch)
    one.set_up()
    one.add_users(*REGISTRY)
    return one


@pytest.fixture
def operator_without_aws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Operator:
    """Whose commands ask AWS nothing: nobody would answer."""
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    one = Operator(tmp_path, StagedAccount("http://127.0.0.1:9", keys), capsys, monkeypatch)
    one.set_up()
    return one
