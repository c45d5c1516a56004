"""An AWS account that is empty at first, and an operator's shell with its keys."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.image import images
from sandbox.moto import MotoServer
from tests.provision.account import StagedAccount, make_account
from tests.provision.operator_shell import Operator


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
    return one
