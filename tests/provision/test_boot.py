"""The boot side, against S3 with its authentication on, as the instance's own role."""

import json
import os
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from clawbot.provision import boot
from clawbot.provision.boot import REPOSITORY_FOLDER, SECRETS_FOLDER
from clawbot.provision.bundle_object import Packed
from clawbot.provision.operator_context import OperatorContext
from fleet_control import archive, seed, seed_check
from fleet_control.archive import File
from tests.provision import uploads
from tests.provision.account import StagedAccount

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

S3Factory = Callable[[str], "S3Client"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return uploads.scratch(tmp_path / "root")


@pytest.fixture
def client(account: StagedAccount) -> S3Factory:
    return account.host(uploads.PREFIX)


def run(part: str, root: Path, account: StagedAccount, client: S3Factory, *more: str) -> int:
    return boot.main([part, *more, "--bucket", account.bucket, "--root", str(root)], client)


def held(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".bundle.json"
    }


def test_both_parts_are_installed_with_their_modes(
    root: Path, account: StagedAccount, client: S3Factory
) -> None:
    uploads.whole(account)

    assert run("secrets", root, account, client) == 0
    assert run("repository", root, account, client) == 0

    secrets, repository = root / SECRETS_FOLDER, root / REPOSITORY_FOLDER
    assert held(secrets) == {name: (one.data, 0o400) for name, one in uploads.SECRETS.items()}
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert held(repository) == {
        name: (one.data, 0o755 if one.executable else 0o644)
        for name, one in uploads.REPOSITORY.items()
    }
    assert {one.name for one in repository.parent.iterdir()} == {"clawdinators"}


def test_nothing_above_the_repository_may_be_written_by_others(
    root: Path, account: StagedAccount, client: S3Factory
) -> None:
    uploads.whole(account)
    (root / "var/lib/clawd/repos").mkdir(parents=True)
    (root / "var/lib/clawd").chmod(0o777)
    if os.geteuid() == 0:
        os.chown(root / "var/lib/clawd/repos", 65534, 65534)

    run("repository", root, account, client)

    for folder in ("var", "var/lib", "var/lib/clawd", "var/lib/clawd/repos", REPOSITORY_FOLDER):
        there = (root / folder).stat()
        assert (there.st_uid, stat.S_IMODE(there.st_mode) & 0o022) == (os.geteuid(), 0), folder


def test_a_link_above_the_repository_is_not_followed(
    root: Path, account: StagedAccount, client: S3Factory, capsys: pytest.CaptureFixture[str]
) -> None:
    uploads.whole(account)
    (root / "var/lib").mkdir(parents=True)
    (root / "elsewhere").mkdir()
    (root / "var/lib/clawd").symlink_to(root / "elsewhere")

    assert run("repository", root, account, client) == 1
    assert "is a link" in capsys.readouterr().err
    assert not list((root / "elsewhere").iterdir())


def test_a_host_that_is_told_nothing_new_keeps_both_and_asks_nobody(
    root: Path, account: StagedAccount, client: S3Factory, capsys: pytest.CaptureFixture[str]
) -> None:
    uploads.whole(account)
    for part in boot.PARTS:
        run(part, root, account, client)
    folders = (root / SECRETS_FOLDER, root / REPOSITORY_FOLDER)
    before = [folder.stat() for folder in folders]
    newer = uploads.packed({**uploads.SECRETS, "new.age": File(b"age")})
    uploads.secrets(account, newer)

    def never(_: str) -> "S3Client":
        raise AssertionError("nobody is to be asked")

    for part in boot.PARTS:
        assert run(part, root, account, never) == 0
    assert [folder.stat() for folder in folders] == before
    assert capsys.readouterr().out.count("told nothing new, and asked nobody") == 2


def test_an_operators_refresh_replaces_the_whole_of_the_older(
    root: Path, account: StagedAccount, client: S3Factory
) -> None:
    uploads.whole(account)
    run("secrets", root, account, client)
    fewer = {name: one for name, one in uploads.SECRETS.items() if name.endswith(".agekey")}
    uploads.secrets(account, uploads.packed(fewer))

    assert run("secrets", root, account, client, "--refresh") == 0
    assert set(held(root / SECRETS_FOLDER)) == {"instance.agekey"}


def test_what_is_told_of_another_revision_fetches_both_anew(
    root: Path, account: StagedAccount, client: S3Factory
) -> None:
    uploads.whole(account)
    for part in boot.PARTS:
        run(part, root, account, client)
    other = "9876543210" * 4
    files = {**uploads.REPOSITORY, "REVISION": File(f"{other}\n".encode())}
    told = uploads.upload(account, seed.key(other), uploads.packed(files))
    uploads.secrets(account, uploads.packed({**uploads.SECRETS, "new.age": File(b"age")}))
    uploads.scratch(root, revision=other, seed_sha256=told)

    for part in boot.PARTS:
        assert run(part, root, account, client) == 0
    assert (root / REPOSITORY_FOLDER / "REVISION").read_text() == f"{other}\n"
    assert "new.age" in held(root / SECRETS_FOLDER)


def test_another_prefix_leaves_nothing_of_the_first(
    root: Path, account: StagedAccount, client: S3Factory, capsys: pytest.CaptureFixture[str]
) -> None:
    uploads.whole(account)
    run("secrets", root, account, client)
    uploads.scratch(root, prefix="bootstrap/elsewhere")

    assert run("secrets", root, account, account.host("bootstrap/elsewhere")) == 1
    assert not (root / SECRETS_FOLDER).exists()
    assert "is not there" in capsys.readouterr().err


def test_its_own_prefix_is_read_and_its_neighbours_refused(
    root: Path, account: StagedAccount, client: S3Factory, capsys: pytest.CaptureFixture[str]
) -> None:
    uploads.whole(account)
    uploads.whole(account, prefix="bootstrap/claw-2")
    assert run("secrets", root, account, client) == 0

    uploads.scratch(root, prefix="bootstrap/claw-2")
    assert run("secrets", root, account, client) == 1
    assert "S3 refuses s3://clawdinator-bootstrap/bootstrap/claw-2" in capsys.readouterr().err


BROKEN: dict[str, tuple[Callable[[Packed], Packed], str]] = {
    "truncated, as the checksum tells": (
        lambda good: Packed(good.archive[:-40], good.content),
        "The archive is truncated",
    ),
    "not an archive": (lambda _good: Packed(b"<html>", b""), "The archive is damaged"),
    "not a tar inside": (lambda _good: Packed(archive.compress(b"?" * 600), b""), "is damaged"),
    "out by its name": (lambda _good: uploads.member("../../etc/shadow"), "leaves its folder"),
    "out by an absolute name": (lambda _good: uploads.member("/etc/shadow"), "leaves its folder"),
    "out by a symlink": (lambda _good: uploads.member("etc", link="/etc"), "is a link"),
    "out by a hard link": (lambda _good: uploads.member("x", link="../x", hard=True), "is a link"),
    "no age key": (lambda _good: uploads.packed({"a.age": File(b"a")}), "holds no age key"),
    "an age key that is none": (
        lambda _good: uploads.packed({"instance.agekey": File(b"ssh-rsa")}),
        "holds no age key",
    ),
    "another's identity": (
        lambda _good: uploads.packed(
            {"instance.agekey": File(boot.identity_file("AGE-SECRET-KEY-1X", "claw-2"))}
        ),
        "The bundle holds the identity of claw-2, and this host is claw-1.",
    ),
    "nobody's identity": (
        lambda _good: uploads.packed(
            {"instance.agekey": File(boot.identity_file("AGE-SECRET-KEY-1X", "c" * 99))}
        ),
        f"The bundle holds the identity of {'c' * 40}, and this host is claw-1.",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_bundle_is_refused_and_the_installed_one_stays(
    how: str,
    root: Path,
    account: StagedAccount,
    client: S3Factory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    uploads.whole(account)
    run("secrets", root, account, client)
    before = held(root / SECRETS_FOLDER)
    breaks, sentence = BROKEN[how]
    uploads.secrets(account, breaks(uploads.packed(uploads.SECRETS)))

    assert run("secrets", root, account, client, "--refresh") == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert "`clawbot bundle upload claw-1`" in said
    assert held(root / SECRETS_FOLDER) == before
    assert not (root / "etc/shadow").exists()


def test_a_wrong_checksum_is_refused(
    root: Path, account: StagedAccount, client: S3Factory, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(account.client("s3")) as s3:
        s3.put_object(
            Bucket=account.bucket,
            Key=f"{uploads.PREFIX}/secrets.tar.zst",
            Body=uploads.packed(uploads.SECRETS).archive,
            Metadata={"sha256": "0" * 64},
        )

    assert run("secrets", root, account, client) == 1
    assert "is not what this host was told of" in capsys.readouterr().err
    assert not (root / SECRETS_FOLDER).exists()


def changed(**files: bytes | None) -> Packed:
    """The seed with other files; None takes one out."""
    named = {name.replace("__", "/").replace("_", "."): one for name, one in files.items()}
    whole: dict[str, File | None] = {
        **uploads.REPOSITORY,
        **{name: None if data is None else File(data) for name, data in named.items()},
    }
    return uploads.packed({name: file for name, file in whole.items() if file})


WRONG_SEEDS = {
    "lacks flake.lock": changed(flake_lock=None),
    "lacks nix/instances.json": changed(nix__instances_json=None),
    "lacks nix/facts.json": changed(nix__facts_json=None),
    "does not say what starts the agent": changed(nix__facts_json=b'{"agentCommand": ""}'),
    "nix/facts.json does not say": changed(nix__facts_json=b"[]"),
    "lacks nix/hosts/claw-1.nix": uploads.packed(
        {path: one for path, one in uploads.REPOSITORY.items() if "hosts" not in path}
    ),
    f"does not speak the contract of boot 2 ({seed_check.CONTRACT})": uploads.packed(
        {path: one for path, one in uploads.REPOSITORY.items() if path != seed_check.CONTRACT}
    ),
    f"Revision {uploads.REVISION} does not speak the contract of boot 2": uploads.packed(
        {**uploads.REPOSITORY, seed_check.CONTRACT: File(b'BOOT = "1"\nREBOOT = "2"\n')}
    ),
    "lacks REVISION": changed(REVISION=None),
    f"is of another commit than {uploads.REVISION}": changed(REVISION=b"9" * 40 + b"\n"),
    "does not know claw-1": changed(
        nix__instances_json=json.dumps({"claw-2": uploads.REGISTRY["claw-2"]}).encode()
    ),
    "The registry is not valid": changed(nix__instances_json=b"[]"),
    "is a link": uploads.member("flake.nix", link="/etc/shadow"),
}


@pytest.mark.parametrize("sentence", WRONG_SEEDS)
def test_a_seed_must_be_the_commit_and_hold_what_the_flake_names(
    sentence: str, root: Path, account: StagedAccount, client: S3Factory,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    told = uploads.upload(account, seed.key(uploads.REVISION), WRONG_SEEDS[sentence])
    uploads.scratch(root, seed_sha256=told)

    assert run("repository", root, account, client) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert "Deploy claw-1 again." in said
    assert not (root / REPOSITORY_FOLDER).exists()


@pytest.mark.parametrize(
    "breaks",
    [
        lambda good: changed(flake_nix=b"{ evil = true; }\n"),
        lambda good: Packed(good.archive[:-9], good.content),
        lambda good: Packed(good.archive + b"\0", good.content),
    ],
    ids=["overwritten", "cut short", "longer"],
)
def test_a_seed_that_is_not_the_one_of_the_user_data_is_refused_whatever_it_says_of_itself(
    breaks: Callable[[Packed], Packed], root: Path, account: StagedAccount,
    client: S3Factory, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    uploads.upload(account, seed.key(uploads.REVISION), breaks(uploads.packed(uploads.REPOSITORY)))

    assert run("repository", root, account, client) == 1
    assert "is not what this host was told of: its SHA-256 is" in capsys.readouterr().err
    assert not (root / REPOSITORY_FOLDER).exists()


def test_nothing_uploaded_says_what_to_type(
    root: Path, account: StagedAccount, client: S3Factory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("secrets", root, account, client) == 1
    assert "clawbot bundle upload claw-1" in capsys.readouterr().err


def test_a_host_that_was_told_nothing_names_each_missing_file(
    tmp_path: Path, account: StagedAccount, client: S3Factory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("secrets", tmp_path, account, client) == 1
    said = capsys.readouterr().err
    for name in ("instance", "region", "bootstrap-prefix", "revision", "seed-sha256"):
        assert f"etc/clawdinator/{name} is missing" in said


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"revision": "main"}, "revision must be a commit, 40 hex digits."),
        ({"revision": f"../{uploads.REVISION}"}, "revision must be a commit"),
        ({"seed_sha256": "0" * 63}, "seed-sha256 must be a SHA-256 in hex."),
    ],
)
def test_what_it_was_told_must_have_its_form(
    told: dict[str, str], sentence: str, root: Path, account: StagedAccount, client: S3Factory,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    uploads.scratch(root, **told)

    assert run("repository", root, account, client) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("part", boot.PARTS)
def test_an_s3_that_is_away_stops_a_new_host_and_a_refresh_and_no_other(
    part: str,
    root: Path,
    account: StagedAccount,
    client: S3Factory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    away = StagedAccount("http://127.0.0.1:9", account.keys)

    def unreachable(_: str) -> "S3Client":
        s3: S3Client = away.client("s3")
        return s3

    assert run(part, root, account, unreachable) == 1
    assert "can't be reached" in capsys.readouterr().err

    uploads.whole(account)
    run(part, root, account, client)
    assert run(part, root, account, unreachable) == 0
    assert "stays as it is" in capsys.readouterr().out

    before = held(root / SECRETS_FOLDER)
    if part == "secrets":
        assert run(part, root, account, unreachable, "--refresh") == 1
    assert held(root / SECRETS_FOLDER) == before


def test_an_aws_that_hangs_stops_a_boot_and_a_command_within_minutes(tmp_path: Path) -> None:
    """The clients' own words: a test would have to wait as long."""
    keys = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-central-1"}
    with (
        closing(boot.s3_client("eu-central-1")) as host,
        OperatorContext(tmp_path, keys).s3() as desk,
    ):
        configs: list[Any] = [host.meta.config, desk.meta.config]
    waits = [(one.connect_timeout, one.read_timeout) for one in configs]
    tries = configs[0].retries["total_max_attempts"]

    assert all(2 < connect < 30 < read < 120 for connect, read in waits)
    assert 120 < tries * sum(waits[0]) < 600


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "This host has no AWS credentials for s3://"),
        ({"AWS_PROFILE": "nope"}, "There is no AWS profile `nope`"),
    ],
)
def test_a_host_without_credentials_says_so(
    root: Path,
    account: StagedAccount,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environ: dict[str, str],
    said: str,
) -> None:
    for name in filter(lambda one: one.startswith("AWS_"), list(os.environ)):
        monkeypatch.delenv(name)
    for name, value in {"AWS_EC2_METADATA_DISABLED": "true", **environ}.items():
        monkeypatch.setenv(name, value)

    assert run("secrets", root, account, boot.s3_client) == 1
    assert capsys.readouterr().err.startswith(said)


class _Endless(StreamRequestHandler):
    """An S3 whose every object is a byte too large, and of which no byte comes."""

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 268435457\r\n\r\n")
        self.rfile.read()  # until whoever asked has gone


@pytest.mark.parametrize("part", boot.PARTS)
def test_what_is_too_large_is_refused_before_it_is_read(
    part: str, root: Path, account: StagedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadingTCPServer(("127.0.0.1", 0), _Endless) as server:
        server.daemon_threads, server.block_on_close = True, False
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        large = StagedAccount(f"http://127.0.0.1:{server.server_address[1]}", account.keys)

        code = run(part, root, account, lambda _: large.client("s3"))

        server.shutdown()
        serving.join()
    assert code == 1
    assert "is larger than 256 MiB; nothing of it was read." in capsys.readouterr().err
