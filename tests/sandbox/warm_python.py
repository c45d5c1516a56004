"""A `python3` that starts fast: it forks what has imported what a run needs, or a host's boot.

What a run's steps do is the same, in processes of their own; only starting them is cheap. Our own
modules count as imported where the run has the same, byte for byte; and requirements that pip found
met are met. moto's server is forked by another process, since what it imports changes botocore.
"""

import fcntl
import gc
import hashlib
import importlib
import json
import marshal
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

LIBRARIES = ("boto3", "botocore.session", "pydantic", "pip._internal.commands.install")
SERVICES = ("ec2", "ssm", "s3", "sts", "service-quotas", "dynamodb")
# Of our own, whatever is beside or below it in these.
PACKAGES = ("fleet_control", "workflows.fleet_deploy", "sandbox.tofu")
BOOT = "clawbot.provision.boot"
MOTO = "sandbox.moto_process"
_LARGEST = 1 << 17
_MOST_FILES = 64
# Above any that a program was given.
_ASIDE = 512

# In a run, `python3`: it hands over all it was given, and ends as the fork does. It imports only
# what an interpreter has without reading a file: the rest was half of what a start costs.
_CLIENT = """\
#!{python} -IS
import _socket, marshal, os, sys
if sys.argv[1:2] != ["-m"]:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
with os.scandir("/proc/self/fd") as open_:
    files = [int(one.name) for one in open_]
files = [one for one in files if os.path.exists(f"/proc/self/fd/{{one}}")]
asked = marshal.dumps([sys.argv[2:], os.getcwd(), dict(os.environ), files])
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
server.connect({addresses!r}[sys.argv[2] == {moto!r}])
given = b"".join(one.to_bytes(4, sys.byteorder) for one in files)
server.sendmsg([asked], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, given)])
code = server.recv(16)
sys.exit(int(code) if code else 1)
"""


@contextmanager
def warm_python() -> Iterator[Path]:
    """The program; nothing that began in it outlives this."""
    with TemporaryDirectory() as folder:
        yield from _served(Path(folder))


def _served(folder: Path) -> Iterator[Path]:
    addresses, client = [str(folder / name) for name in ("runs", "moto")], folder / "python3"
    client.write_text(_CLIENT.format(python=sys.executable, addresses=addresses, moto=MOTO))
    client.chmod(0o755)
    with ExitStack() as stack:
        for name, address in zip(("runs", "moto"), addresses, strict=True):
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.enter_context(listener).bind(address)
            listener.listen()
            command = [sys.executable, "-I", __file__, name, str(listener.fileno()), str(folder)]
            server = subprocess.Popen(  # noqa: S603  (this very file)
                command, pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL
            )
            stack.callback(stack.enter_context(server).kill)
        yield client


def _serve(what: str, listener: socket.socket, folder: Path) -> None:
    if what == "moto":
        # Not everybody who runs something has an AWS of their own.
        select.select([listener], [], [])
    ours = _import_moto() if what == "moto" else _import_for_runs()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            _become(client, ours, folder)
        client.close()


def _read_descriptions() -> None:
    """AWS's, of the services that a run asks: megabytes of JSON that need not be read in each."""
    importlib.import_module("sandbox.botocore_cache").read_once()
    session = importlib.import_module("botocore.session").get_session()
    for service in SERVICES:
        session.create_client(
            service, "eu-central-1", aws_access_key_id="none", aws_secret_access_key="none"
        ).close()


def _import_moto() -> dict[str, bytes]:
    """As `sandbox.moto_process` does, with no image: it is told its own."""
    with TemporaryDirectory() as folder:
        images = Path(folder, "images")
        images.write_text("[]")
        os.environ |= {"MOTO_AMIS_PATH": str(images), "MOTO_ENABLE_AMI_VALIDATION": "true"}
        importlib.import_module("sandbox.botocore_cache").read_once()
        importlib.import_module("sandbox.moto_server")
    return _ours(("sandbox", "fleet_control"))


def _import_for_runs() -> dict[str, bytes]:
    for name in LIBRARIES:
        importlib.import_module(name)
    _read_descriptions()
    for package in PACKAGES:
        found = pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}.")
        for name in (one.name for one in found if not one.name.endswith("__main__")):
            importlib.import_module(name)
    importlib.import_module(BOOT)
    return _ours(name.partition(".")[0] for name in (*PACKAGES, BOOT))


def _ours(roots: Iterable[str]) -> dict[str, bytes]:
    """The content of each module in these packages that is imported now."""
    roots = set(roots)
    return {
        name: Path(module.__file__).read_bytes()
        for name, module in sys.modules.items()
        if name.partition(".")[0] in roots and module.__file__
    }


def _keep(ours: dict[str, bytes]) -> None:
    """Keep these modules if each is what an import would find, and none of them else."""
    found = {name: _found(sys.modules[name]) for name in ours}
    if all(_read(file) == ours[name] for name, file in found.items()):
        for name, file in found.items():
            _lay(sys.modules[name], file)
    else:
        for name in ours:
            del sys.modules[name]


def _found(module: ModuleType) -> str:
    """The file that an import of this module would find, if there is one."""
    path = module.__name__.replace(".", "/") + ("/__init__.py" if _is_package(module) else ".py")
    return f"{_folder(module.__name__.partition('.')[0])}/{path}"


@cache
def _folder(package: str) -> str:
    """Where an import of this package would find it."""
    entries = (one for one in sys.path if os.path.isfile(f"{one}/{package}/__init__.py"))  # noqa: PTH113  (fast)
    return next(entries, "")


def _read(file: str) -> bytes | None:
    """Its content, None where there is no such file."""
    try:
        with open(file, "rb", buffering=0) as there:  # noqa: PTH123  (fast)
            return there.read()
    except FileNotFoundError:
        return None


def _is_package(module: ModuleType) -> bool:
    return hasattr(module, "__path__")


def _lay(module: ModuleType, file: str) -> None:
    """Make it the module of that file."""
    module.__file__ = file
    if module.__spec__:
        module.__spec__.origin = file
    if _is_package(module):
        module.__path__ = [file.removesuffix("/__init__.py")]


def _become(client: socket.socket, ours: dict[str, bytes], folder: Path) -> None:
    """The program that was asked for; never returns."""
    os.setsid()
    message, given, _, _ = socket.recv_fds(client, _LARGEST, _MOST_FILES)
    (name, *words), here, environ, files = marshal.loads(message)  # noqa: S302  (the client's)
    client = socket.socket(fileno=_aside(client.detach()))
    for number, descriptor in zip(files, list(map(_aside, given)), strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(here)
    os.environ.clear()
    os.environ.update(environ)
    added = [entry for entry in environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [here, *(os.path.join(here, entry) for entry in added), *sys.path]  # noqa: PTH118  (of text)
    sys.argv[:] = [name, *words]
    threading.Thread(target=_end_with, args=[client], daemon=True).start()
    _keep(ours)
    code = _installed(words, folder) if name == "pip" else _run(name)
    sys.stdout.flush()
    sys.stderr.flush()
    client.send(str(code).encode())
    os._exit(code)


def _aside(descriptor: int) -> int:
    """The same file, out of the way of those that the program was given."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _ASIDE)
    os.close(descriptor)
    return moved


def _installed(words: list[str], folder: Path) -> int:
    """pip's exit code, at once where it said before that just these requirements are met."""
    settings = [item for item in sorted(os.environ.items()) if item[0].startswith("PIP_")]
    asked = [words, settings, *(Path(one).read_text() for one in words if Path(one).is_file())]
    met = folder / hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    if met.exists():
        return 0
    code = _run("pip")
    if code == 0 and "--quiet" in words:
        met.touch()
    return code


def _run(module: str) -> int:
    """The exit code, its reason told as an interpreter would."""
    # Which has not imported what it runs, and warns where that is so.
    if not hasattr(sys.modules.get(module), "__path__"):
        sys.modules.pop(module, None)
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as left:
        if left.code is None or isinstance(left.code, int):
            return left.code or 0
        sys.stderr.write(f"{left.code}\n")
        return 1
    except BaseException:  # noqa: BLE001  (whatever it is)
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def _end_with(client: socket.socket) -> None:
    """Whoever kills the client means us, and what we started."""
    client.recv(1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    _serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])), Path(sys.argv[3]))
