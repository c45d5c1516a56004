"""`make demo` as a process: what it says before it starts, and what it leaves behind."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.demo import main
from tests.recording_proxy import VARIABLES, recording
from tests.sandbox.full_loop import entry, give_once
from tests.sandbox.terminal_user import COMMAND, ENVIRON, PATIENCE_SECONDS, ROOT


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    """Ctrl-C and a hang-up reach what is started here, even where these tests run in the
    background or under nohup: what is ignored is inherited, a handler is not."""
    numbers = (signal.SIGINT, signal.SIGHUP)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def demo(script: str, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  (this interpreter and a module of ours)
        [*COMMAND, *options],
        input=script,
        capture_output=True,
        text=True,
        env={**ENVIRON, **environ},
        cwd=ROOT,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def refusal(*options: str) -> str:
    """What it exits with before it begins: a sentence to standard error, and 1, as any program
    that exits so."""
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert isinstance(ended.value.code, str)
    return ended.value.code


def test_a_pipe_is_read_as_a_script_and_answered_in_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "/fleet help\nstranger: /fleet deploy all\nwhat?"
    ended = demo(script, "--log", str(log))

    assert ended.stderr == ""
    assert ended.returncode == 2
    assert ended.stdout.startswith("> /fleet help\n/fleet status: ")
    assert "> stranger: /fleet deploy all\nrefused (not_operator): " in ended.stdout
    assert "> what?\nThat is not a command." in ended.stdout
    cost = (
        r"For them GitHub counted [0-3] calls; it grants 5,000 an hour\.\nGitHub ran 0 deploys\.\n"
    )
    assert re.search(rf"{cost}\Z", ended.stdout)
    assert "fleet.refused code=not_operator by=terminal:stranger" in log.read_text()


def test_who_did_what_is_told_and_its_log_is_json_where_it_is_named_so(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    ended = demo("clawbot audit x\n/fleet freeze for 1h a move\nclawbot audit", "--log", str(log))

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "> clawbot audit x\nthat is no time: say 30m, 2h, " in ended.stdout
    told = " · operator in the terminal · freeze for 1 h: a move · done · "
    line = ended.stdout.partition("> clawbot audit\n")[2].replace("\n", " ")
    assert told in line
    lines = [json.loads(one) for one in log.read_text().splitlines()]
    (frozen,) = (one for one in lines if one.get("event") == "fleet.frozen")
    assert frozen["request_id"] in "".join(line.split())


def test_an_operators_account_and_proxies_are_left_out(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("[profile x")
    theirs = {
        "HOME": str(tmp_path),
        "AWS_PROFILE": "nope",
        "AWS_ENDPOINT_URL": "https://aws.example",
        "AWS_USE_FIPS_ENDPOINT": "true",
    }
    with recording() as proxy:
        proxies = {name: proxy.url for one in VARIABLES for name in (one, one.lower())}

        ended = demo("/fleet status\n", **theirs, **proxies)

        assert proxy.asked == []
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "clawdinator-1" in ended.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--registry", "/nowhere.json"), "REGISTRY=/nowhere.json can't be read: No such file"),
        (("--instance", "clawdinator-9"), "INSTANCE=clawdinator-9: the registry has no such"),
        (("--unhealthy", "claw-x"), "UNHEALTHY=claw-x: the registry has no such instance; it has"),
        (("--engine", "steam"), "ENGINE=steam"),
        (
            ("--log", "/nowhere/log"),
            "LOG=/nowhere/log can't be written: No such file or directory.",
        ),
        (("--front", "fax"), "FRONT=fax"),
    ],
)
def test_what_it_can_t_do_is_said_at_once(
    options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refusal(*options)
    assert capsys.readouterr() == ("", "")


def test_every_fault_of_a_registry_is_named(tmp_path: Path) -> None:
    file = tmp_path / "instances.json"
    file.write_text(json.dumps({"all": entry("a"), "b": entry("b") | {"colour": "red"}}))

    said = refusal("--registry", str(file))

    assert "`all` is not an id" in said
    assert "unknown field `colour`" in said


def test_a_registry_is_read_as_the_bot_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "instances.json"
    file.write_text(json.dumps({"claw-1": entry("claw-1")}), encoding="utf-8-sig")

    said = refusal("--registry", str(file))

    assert "it begins with a byte order mark; save it as UTF-8 without one" in said


def test_a_registry_that_goes_while_the_demo_starts_is_told_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "instances.json"
    give_once(file, ("claw-1",))

    ended = demo("/fleet status\n", "--registry", str(file))

    assert ended.returncode == 1
    assert ended.stderr == f"REGISTRY={file} can't be read: No such file or directory.\n"
    assert ended.stdout == ""


@contextmanager
def running(temporary: Path) -> Iterator[tuple["subprocess.Popen[bytes]", list[int]]]:
    """A demo that has answered once, and the processes it started."""
    process = subprocess.Popen(  # noqa: S603  (as above)
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRON | {"TMPDIR": str(temporary)},
        cwd=ROOT,
    )
    with process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"/fleet status\n")
        process.stdin.flush()
        while process.stdout.readline().strip() != b"IMAGES, newest first":
            assert process.poll() is None
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert children
        try:
            yield process, [os.pidfd_open(int(child)) for child in children]
        finally:
            process.kill()


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells of processes so")
@pytest.mark.parametrize(
    ("by", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
def test_however_it_ends_nothing_of_it_is_left_running(
    by: signal.Signals, code: int, tmp_path: Path
) -> None:
    with running(tmp_path) as (process, children):
        (folder,) = tmp_path.glob("clawbot-sandbox-*")
        process.send_signal(by)
        assert process.wait(PATIENCE_SECONDS) == code
        for child in children:
            ended, _, _ = select.select([child], [], [], PATIENCE_SECONDS)
            assert ended == [child]
            os.close(child)
    # What was killed could not clear up: the next one does.
    assert list(tmp_path.iterdir()) == ([folder] if by is signal.SIGKILL else [])


def test_ctrl_c_while_it_is_still_loading_shows_no_trace() -> None:
    with (
        subprocess.Popen(  # noqa: S603  (as above)
            [sys.executable, "-X", "importtime", *COMMAND[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRON,
            cwd=ROOT,
        ) as process
    ):
        assert process.stderr is not None
        # Each module is named once it is loaded; this one is loaded long before the last.
        loading = iter(process.stderr.readline, "")
        assert any(line.endswith(" aiohttp\n") for line in loading)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()

    assert "Traceback" not in said
    assert process.returncode == 130
