"""The Lambda against Node 20 doing the same work: from the start of a process to its answer.

Python is started as AWS starts it (isolated, bytecode compiled), from the built zip.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench import interpreter
from bench.row import Row
from lambda_fn.build import build

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 41
VERSIONS = ("3.13", "3.14")

# What stands around a handler: an event in, an answer out.
_INVOKE = """
import sys
sys.path.insert(0, sys.argv[1])
from lambda_fn.handler import handler
import json
class Context:
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:control-api"
    aws_request_id = "1"
with open(sys.argv[2]) as event:
    print(json.dumps(handler(json.load(event), Context())), flush=True)
"""

_TOKEN = "control-token-of-the-bench"  # noqa: S105  (known to the bench alone)


def measure() -> list[Row]:
    python, node = _programs()
    them = f"Node {_said(node, '--version').lstrip('v')}, the same work"
    us = f"on Python {_said(python, '-c', 'import platform; print(platform.python_version())')}"
    with tempfile.TemporaryDirectory() as folder, _github() as url:
        task_root = _unpacked(Path(folder), python)
        settings = {
            "AWS_LAMBDA_FUNCTION_NAME": "control-api",
            "CONTROL_API_TOKEN": _TOKEN,
            "GITHUB_TOKEN": "github-token-of-the-bench",
            "GITHUB_API_URL": url,
        }
        ours = [python, "-I", "-S", "-c", _INVOKE, str(task_root)]
        theirs = [node, str(ROOT / "bench" / "control_api.mjs")]
        # As both start on this machine; and with nothing else in the environment, since Node takes
        # more from it than Python does (NODE_EXTRA_CA_CERTS alone can double its start).
        here, bare = dict(os.environ) | settings, {"PATH": os.environ["PATH"]} | settings
        refused, dispatched = _refused(folder), _dispatched(folder)
        return [
            Row(what, mine, them, others, mine / others, limit)
            for what, asked, environ, limit in (
                (f"Control API {us}, start to a refusal", refused, here, 0.6),
                (f"Control API {us}, start to a run", dispatched, here, 1.0),
                ("the refusal, in an empty environment", refused, bare, 0.6),
                ("the run, in an empty environment", dispatched, bare, 1.0),
            )
            for mine, others in [_medians(ours, theirs, asked, environ)]
        ]


def _programs() -> tuple[str, str]:
    python = next(filter(None, map(interpreter.find, VERSIONS)), None)
    node = shutil.which("node")
    if python is None or node is None:
        sys.exit(f"bench.control_api needs Python {' or '.join(VERSIONS)}, and node")
    return python, node


def _said(program: str, *asked: str) -> str:
    command = [program, *asked]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603  (the two programs measured)


def _unpacked(folder: Path, python: str) -> Path:
    (folder / "control-api.zip").write_bytes(build(ROOT))
    with zipfile.ZipFile(folder / "control-api.zip") as archive:
        archive.extractall(folder / "task")
    command = [python, "-m", "compileall", "-q", str(folder / "task")]
    subprocess.run(command, check=True)  # noqa: S603  (a Python of this machine)
    return folder / "task"


@contextmanager
def _github() -> Iterator[str]:
    command = [sys.executable, "-m", "bench.loopback_github"]
    with subprocess.Popen(  # noqa: S603  (a module of ours)
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101  (asked for above)
        yield process.stdout.readline().strip()
        process.communicate()


def _refused(folder: str) -> tuple[Path, int]:
    body = {"action": "deploy", "target": "clawdinator-1", "request_id": "agent.clawdinator-1.a.b"}
    return _event(Path(folder) / "refused.json", "agent", body), 403


def _dispatched(folder: str) -> tuple[Path, int]:
    body = {
        "action": "deploy",
        "target": "clawdinator-2",
        "requested_by": "discord:80351110224678912 sam",
        "request_id": "discord.clawdinator-1.1001.2002",
        "reply": "3003",
    }
    return _event(Path(folder) / "dispatched.json", "chat", body), 200


def _event(path: Path, role: str, body: object) -> Path:
    arn = f"arn:aws:iam::123456789012:user/fleet/{role}/clawdinator-1/clawdinator-1-{role}"
    context = {
        "http": {"method": "POST", "path": "/"},
        "authorizer": {"iam": {"accountId": "123456789012", "userArn": arn}},
    }
    event = {
        "version": "2.0",
        "headers": {"content-type": "application/json", "x-clawdinator-token": _TOKEN},
        "requestContext": context,
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
    path.write_text(json.dumps(event))
    return path


def _medians(
    ours: Sequence[str],
    theirs: Sequence[str],
    asked: tuple[Path, int],
    environ: Mapping[str, str],
) -> tuple[float, float]:
    """Milliseconds. They take turns, so that a busy moment of the machine meets both."""
    event, status = asked
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for command, times in zip((ours, theirs), took, strict=True):
            times.append(_milliseconds([*command, str(event)], environ, status))
    return median(took[0][1:]), median(took[1][1:])


def _milliseconds(command: Sequence[str], environ: Mapping[str, str], status: int) -> float:
    """From the start of a process until its answer is read."""
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603  (the two programs measured)
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None  # noqa: S101  (asked for above)
        line = process.stdout.readline()
        took = (time.perf_counter() - began) * 1000
    answered = json.loads(line)["statusCode"]
    if answered != status:
        raise RuntimeError(f"{command[0]} answered {answered}, not {status}: {line!r}")
    return took


if __name__ == "__main__":
    for row in measure():
        print(row)
