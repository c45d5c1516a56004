"""A folder that changes as a whole, whenever it is interrupted, however full the disk is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clawbot.provision import installation
from clawbot.provision.installation import InstallRecord

# Installs over what is there; may be limited in the size of a file.
INSTALL = """
import os, resource, signal, sys
from pathlib import Path
from clawbot.provision import installation
from fleet_control.archive import File
from clawbot.provision.error import ProvisionError
from clawbot.provision.installation import PUBLIC, InstallRecord
folder = Path(sys.argv[1])
def install(version):
    installation.recover(folder)
    files = {name: File(version.encode() * 50_000) for name in ("a", "b/c", "b/d/e")}
    try:
        record = InstallRecord("bucket", "key", "one", "revision", version, version)
        installation.install(folder, files, record, PUBLIC)
    except ProvisionError as error:
        sys.exit(str(error))
"""
ONCE = """
if len(sys.argv) > 3:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
install(sys.argv[2])
"""
# A child at a time, killed before the n-th change of a name on the disk, until none is left.
KILLED = """
def die_at(step):
    left = step
    def hook(event, arguments):
        nonlocal left
        if event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod"):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
step = 0
killed = True
while killed:
    step += 1
    install("old")
    child = os.fork()
    if not child:
        die_at(step)
        install("new")
        os._exit(0)
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    installation.recover(folder)
    held = {one.read_text()[:3] for one in folder.rglob("*") if one.name != ".bundle.json"
            if one.is_file()} | {installation.installed(folder).sha256}
    beside = [one.name for one in folder.parent.iterdir()]
    install("new")
    print(*held, *beside, installation.installed(folder).sha256)
"""


def install(folder: Path, *words: str, program: str = ONCE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  (our own program)
        [sys.executable, "-c", INSTALL + program, str(folder), *words],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )


def version(folder: Path) -> str:
    """The one version all files and the record agree on."""
    record = installation.installed(folder)
    assert record
    held = {(folder / name).read_text() for name in ("a", "b/c", "b/d/e")}
    assert held == {record.sha256 * 50_000}
    return record.sha256


def test_killed_before_any_change_it_is_whole_and_the_next_run_finishes(tmp_path: Path) -> None:
    ended = install(tmp_path / "there", program=KILLED)

    assert ended.stderr == ""
    lines = ended.stdout.splitlines()
    assert set(lines) == {"old there new", "new there new"}
    assert len(lines) > 10


def test_a_disk_that_takes_no_more_leaves_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    install(folder, "old")

    ended = install(folder, "new", "100000")

    assert ended.returncode == 1
    assert "can't be written (File too large); what was there before still is" in ended.stderr
    assert version(folder) == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["there"]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1M", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:  # noqa: S603  (a small disk)
        pytest.skip("a small disk can't be mounted here")
    try:
        folder = disk / "there"
        install(folder, "old")
        (disk / "ballast").write_bytes(b"\0" * 300_000)

        ended = install(folder, "new")

        assert "can't be written (No space left on device)" in ended.stderr
        assert version(folder) == "old"
    finally:
        subprocess.run(["umount", str(disk)], check=True)  # noqa: S603, S607  (the same disk)


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense"])
def test_a_folder_without_a_record_is_not_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / ".bundle.json").write_text(text)

    assert installation.installed(tmp_path) is None


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert install(tmp_path / "there", "old").returncode == 0

    assert installation.installed(tmp_path / "there") == InstallRecord(
        "bucket", "key", "one", "revision", "old", "old"
    )
