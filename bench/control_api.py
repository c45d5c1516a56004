"""The Control API from the start of a process to its first answer: beside Node doing the same work,
and beside itself without docstrings and annotations.

As AWS starts it: from the files of the zip, in a folder where no bytecode is kept, with nothing in
the environment but what the function is given. Both secrets lie in SSM; SSM and GitHub speak TLS.
"""

import ast
import json
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import median

from bench import certificate, interpreter
from bench.loopback import TOKEN
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


@dataclass(frozen=True)
class Program:
    """What answers an event whose path is added to its `command`; `limit` is the Row's."""

    name: str
    command: Sequence[str]
    limit: float = 1.0


def measure() -> list[Row]:
    python = next(filter(None, map(interpreter.find, VERSIONS)), sys.executable)
    version = _said(python, "-c", "import platform; print(platform.python_version())")
    start = [python, "-I", "-S", "-B", "-c", _INVOKE]
    with tempfile.TemporaryDirectory() as name, _asked_in(Path(name)) as environ:
        folder = Path(name)
        _unpack(folder)
        ours = Program(f"Control API on Python {version}", [*start, str(folder / "plain")])
        others = [
            *_node(),
            Program("it without what only readers need", [*start, str(folder / "bare")], 1.3),
        ]
        return [
            *_rows(ours, others, "start to a refusal", _refused(folder), 403, environ),
            *_rows(ours, others, "start to a run", _dispatched(folder), 200, environ),
        ]


def _node() -> Iterator[Program]:
    node = shutil.which("node")
    if node is None:
        print("node is not on PATH: its rows are left out", file=sys.stderr)
        return
    version = _said(node, "--version").lstrip("v")
    program = str(ROOT / "bench" / "control_api.mjs")
    yield Program(f"Node {version}, the same work", [node, program], 1.5)


def _rows(
    ours: Program,
    others: Sequence[Program],
    what: str,
    event: Path,
    status: int,
    environ: Mapping[str, str],
) -> Iterator[Row]:
    commands = [[*one.command, str(event)] for one in (ours, *others)]
    mine, *theirs = _medians(commands, environ, status)
    for other, took in zip(others, theirs, strict=True):
        yield Row(f"{ours.name}, {what}", mine, other.name, took, mine / took, other.limit)


def _said(program: str, *asked: str) -> str:
    command = [program, *asked]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603  (the two programs measured)


def _unpack(folder: Path) -> None:
    for name in ("plain", "bare"):
        with zipfile.ZipFile(BytesIO(build(ROOT))) as archive:
            archive.extractall(folder / name)
    for path in (folder / "bare").rglob("*.py"):
        path.write_text(_bare(path.read_text()))


@contextmanager
def _asked_in(folder: Path) -> Iterator[dict[str, str]]:
    """The function's environment, while there are those whom it asks."""
    trusted = str(certificate.write(folder / "certificate.pem"))
    command = [sys.executable, "-m", "bench.loopback", trusted]
    with subprocess.Popen(  # noqa: S603  (a module of ours)
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101  (asked for above)
        yield {
            "AWS_LAMBDA_FUNCTION_NAME": "control-api",
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "key-of-the-bench",
            "AWS_ENDPOINT_URL_SSM": process.stdout.readline().strip(),
            "CONTROL_API_TOKEN_PARAMETER": "/clawdinator/control-token",
            "GITHUB_TOKEN_PARAMETER": "/clawdinator/github-token",
            "GITHUB_API_URL": process.stdout.readline().strip(),
            "SSL_CERT_FILE": trusted,
        }
        process.communicate()


def _refused(folder: Path) -> Path:
    body = {"action": "deploy", "target": "clawdinator-1", "request_id": "agent.clawdinator-1.a.b"}
    return _event(folder / "refused.json", "agent", body)


def _dispatched(folder: Path) -> Path:
    body = {
        "action": "deploy",
        "target": "clawdinator-2",
        "requested_by": "discord:80351110224678912 sam",
        "request_id": "discord.clawdinator-1.1001.2002",
        "reply": "3003",
    }
    return _event(folder / "dispatched.json", "chat", body)


def _event(path: Path, role: str, body: object) -> Path:
    arn = f"arn:aws:iam::123456789012:user/fleet/{role}/clawdinator-1/clawdinator-1-{role}"
    context = {
        "http": {"method": "POST", "path": "/"},
        "authorizer": {"iam": {"accountId": "123456789012", "userArn": arn}},
    }
    event = {
        "version": "2.0",
        "headers": {"content-type": "application/json", "x-clawdinator-token": TOKEN},
        "requestContext": context,
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
    path.write_text(json.dumps(event))
    return path


def _medians(
    commands: Sequence[Sequence[str]], environ: Mapping[str, str], status: int
) -> list[float]:
    """Milliseconds. They take turns, so that a busy moment of the machine meets all."""
    took: list[list[float]] = [[] for _ in commands]
    for _ in range(ROUNDS):
        for command, times in zip(commands, took, strict=True):
            times.append(_milliseconds(command, environ, status))
    return [median(times[1:]) for times in took]


def _milliseconds(command: Sequence[str], environ: Mapping[str, str], status: int) -> float:
    """From the start of a process until its answer is read."""
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603  (the programs measured)
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None  # noqa: S101  (asked for above)
        line = process.stdout.readline()
        took = (time.perf_counter() - began) * 1000
    answered = json.loads(line)["statusCode"]
    if answered != status:
        raise RuntimeError(f"{command[0]} answered {answered}, not {status}: {line!r}")
    return took


def _bare(source: str) -> str:
    """The program without comments, docstrings, annotations and `typing`."""
    return ast.unparse(ast.fix_missing_locations(_Bare().visit(ast.parse(source))))


class _Bare(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        return ast.Pass() if isinstance(node.value, ast.Constant) else node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        return ast.Assign([node.target], node.value) if node.value else ast.Pass()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        if node.module != "typing":
            return node
        return ast.ImportFrom("collections", [ast.alias("namedtuple")], 0)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        if [ast.unparse(base) for base in node.bases] == ["NamedTuple"]:
            fields = [one for one in node.body if isinstance(one, ast.AnnAssign)]
            names = " ".join(ast.unparse(one.target) for one in fields)
            defaults = [ast.unparse(one.value) for one in fields if one.value]
            made = f"namedtuple({node.name!r}, {names!r}, defaults=[{', '.join(defaults)}])"
            node.bases = [ast.parse(made, mode="eval").body]
            node.body = [one for one in node.body if one not in fields] or [ast.Pass()]
        return self.generic_visit(node)


if __name__ == "__main__":
    for row in measure():
        print(row)
