"""From an empty scratch folder to what a new host boots: every command of the way.

That a run then makes the host is held by the runbook's 'Add an instance'.
"""

import json
import os
import shutil
import stat
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from clawbot.provision import age, boot
from clawbot.provision.bundle_object import SECRETS
from fleet_control.archive import File, unpack
from sandbox.sandbox import CHECKOUT
from tests.nix import evaluation
from tests.provision import operator_shell, uploads
from tests.provision.account import StagedAccount
from tests.provision.operator_shell import Operator, token, token_name

NEW = "clawdinator-3"
# Users of the scratch host, by the numbers they have in the test.
UIDS = {"root": 0, "clawdinator": 64_101, "clawbot": 64_102}
GIDS = {"clawdinator-control": 64_201, "clawbot": UIDS["clawbot"]}


def scratch_checkout(folder: Path) -> None:
    for name in ("flake.nix", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, folder / name)
    shutil.copytree(CHECKOUT / "nix", folder / "nix")
    (folder / "flake.lock").write_text("{ }\n")
    # What whoever sets a fleet up fills in.
    facts = json.loads((folder / "nix/facts.json").read_text())
    (folder / "nix/facts.json").write_text(json.dumps(facts | {"agentCommand": "/bin/agent"}))


def laid_by_agenix(root: Path, secrets: dict[str, Any], secrets_folder: Path) -> None:
    """What agenix does when a host becomes its configuration, in this root."""
    key = age.identity((secrets_folder / boot.IDENTITY).read_text())
    (root / "run/agenix").mkdir(parents=True)
    for name, secret in secrets.items():
        file = root / secret["file"].lstrip("/")
        plain = age.decrypt(file.read_bytes(), key)
        assert plain is not None, name
        path = root / "run/agenix" / name
        path.write_bytes(plain)
        path.chmod(int(secret["mode"], 8))
        if os.geteuid() == 0:
            os.chown(path, UIDS[secret["owner"]], GIDS.get(secret.get("group", ""), 0))


def may_read(path: Path, user: str) -> bool:
    """Whether this user of the host can read the file, by trying."""
    groups = [GIDS["clawdinator-control"]]
    ended = subprocess.run(  # noqa: S603  (as another user, on a file of ours)
        ["cat", str(path)],  # noqa: S607  (whichever is installed)
        user=UIDS[user], group=UIDS[user], extra_groups=groups, capture_output=True, check=False,
    )  # fmt: skip
    return ended.returncode == 0


def test_a_new_instance_from_nothing_to_what_its_host_boots(
    tmp_path: Path,
    account: StagedAccount,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    operator = Operator(tmp_path, account, capsys, monkeypatch)
    operator.checkout.mkdir()
    scratch_checkout(operator.checkout)
    operator.add_users(*operator_shell.REGISTRY)

    provision(operator)
    bundled = booted(operator, tmp_path / "root")

    unpacked = b"".join(file.data for file in bundled.values())
    key = age.identity(bundled[boot.IDENTITY].data.decode())
    opened = [age.decrypt(file.data, key) for file in bundled.values()]
    assert token("3").encode() in opened
    for other in ("1", "2"):
        encrypted = operator.secrets.read(token_name(other))
        assert encrypted is not None
        assert encrypted not in unpacked
        assert token(other).encode() not in unpacked
        assert token(other).encode() not in opened


@evaluation.needs_nix
@pytest.mark.skipif(os.geteuid() != 0, reason="only root lays files of other users")
def test_on_a_host_each_user_reads_what_is_theirs(operator: Operator, tmp_path: Path) -> None:
    first = operator_shell.REGISTRY["clawdinator-1"] | {"clawbotDiscordTokenSecret": "bots-1"}
    registry = operator_shell.REGISTRY | {"clawdinator-1": first}
    operator.set_registry(registry)
    operator.make_secrets()
    operator.does("secrets", "take", "bots-1", given="a-token-of-the-bots-own")
    operator.does("bundle", "upload", "all")
    # Other users must get as far as the files.
    for folder in (tmp_path, *tmp_path.parents):
        folder.chmod(folder.stat().st_mode | 0o011)
    root = tmp_path / "root"
    booted(operator, root, "clawdinator-1")
    config = evaluation.evaluate_host(tmp_path / "nix", registry, "clawdinator-1").value

    laid_by_agenix(root, config["age"]["secrets"], root / boot.SECRETS_FOLDER)

    readable = {
        path.name: {user for user in ("clawdinator", "clawbot") if may_read(path, user)}
        for path in (root / "run/agenix").iterdir()
    }
    assert readable == {
        "clawdinator-control-token": {"clawdinator", "clawbot"},
        "clawdinator-control-aws-access-key-id": {"clawdinator"},
        "clawdinator-control-aws-secret-access-key": {"clawdinator"},
        "clawdinator-chat-aws-access-key-id": {"clawbot"},
        "clawdinator-chat-aws-secret-access-key": {"clawbot"},
        token_name("1"): {"clawdinator"},
        "bots-1": {"clawbot"},
    }
    assert not may_read(root / boot.SECRETS_FOLDER / boot.IDENTITY, "clawdinator")


def provision(operator: Operator) -> None:
    """Everything an operator types before the deploy."""
    said = operator.does("instance", "add", NEW)
    assert said.endswith(f"clawbot secrets make {NEW}\n")
    operator.add_users(NEW)
    operator.make_secrets(["clawdinator-1", "clawdinator-2", NEW])
    operator.does("secrets", "sync")
    operator.does("secrets", "check")
    operator.does("bundle", "build", "all")
    operator.does("bundle", "upload", "all")
    operator.does("bundle", "check", "all")


def booted(operator: Operator, root: Path, instance: str = NEW) -> dict[str, File]:
    """Boot as that instance; the secrets of its bundle, held to what was installed."""
    account = operator.account
    told = uploads.of_checkout(account, operator.checkout)
    uploads.scratch(root, prefix=f"bootstrap/{instance}", instance=instance, seed_sha256=told)
    for part in boot.PARTS:
        words = [part, "--bucket", account.bucket, "--root", str(root)]
        assert boot.main(words, lambda _: account.client("s3")) == 0
    with closing(account.client("s3")) as s3:
        key = f"bootstrap/{instance}/{SECRETS}"
        bundled = unpack(s3.get_object(Bucket=account.bucket, Key=key)["Body"].read())
    folder, repository = root / boot.SECRETS_FOLDER, root / boot.REPOSITORY_FOLDER
    for name, file in bundled.items():
        there = (folder / name).stat()
        assert (folder / name).read_bytes() == file.data
        assert (there.st_uid, stat.S_IMODE(there.st_mode)) == (os.geteuid(), 0o400)
    assert (repository / f"nix/hosts/{instance}.nix").exists()
    assert (repository / "nix/instances.json").read_bytes() == (
        operator.checkout / "nix/instances.json"
    ).read_bytes()
    return bundled
