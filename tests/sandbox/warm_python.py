"""A `python3` that starts fast: it forks a process that has imported the libraries already.

What a run's steps do is the same, in processes of their own; only starting them is cheap.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

LIBRARIES = ("boto3", "botocore.session", "pydantic", "pip._internal.commands.install")
SERVICES = ("ec2", "ssm", "s3", "sts", "service-quotas", "dynamodb")
_LARGEST = 1 << 17

# In a run, `python3`: it hands over all it was given, and ends as the fork does.
_CLIENT = """\
#!{python} -IS
import json, os, socket, sys
if sys.argv[1:2] != ["-m"]:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
asked = json.dumps([sys.argv[2:], os.getcwd(), dict(os.environ)])
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
    server.connect({address!r})
    socket.send_fds(server, [asked.encode()], [0, 1, 2])
    code = server.recv(16)
sys.exit(int(code) if code else 1)
"""


@contextmanager
def warm_python() -> Iterator[Path]:
    """The program; nothing that began in it outlives this."""
    with TemporaryDirectory() as folder:
        yield from _served(Path(folder))


def _served(folder: Path) -> Iterator[Path]:
    address, client = folder / "server", folder / "python3"
    client.write_text(_CLIENT.format(python=sys.executable, address=str(address)))
    client.chmod(0o755)
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener,
        subprocess.Popen(  # noqa: S603  (this very file)
            [sys.executable, "-I", __file__, str(listener.fileno())],
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
        ) as server,
    ):
        listener.bind(str(address))
        listener.listen()
        try:
            yield client
        finally:
            server.kill()


def _serve(listener: socket.socket) -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    _read_descriptions()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            _become(client)
        client.close()


def _read_descriptions() -> None:
    """AWS's, of the services that a run asks: megabytes of JSON that need not be read in each."""
    import botocore.loaders  # noqa: PLC0415  (in the server alone)
    import botocore.session  # noqa: PLC0415  (the same)

    shared = cache(botocore.loaders.create_loader)
    botocore.loaders.create_loader = botocore.session.create_loader = shared
    session = botocore.session.get_session()
    for service in SERVICES:
        session.create_client(
            service, "eu-central-1", aws_access_key_id="none", aws_secret_access_key="none"
        ).close()


def _become(client: socket.socket) -> None:
    """The program that was asked for; never returns."""
    os.setsid()
    message, given, _, _ = socket.recv_fds(client, _LARGEST, 3)
    (name, *words), here, environ = json.loads(message)
    for number, descriptor in enumerate(given):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(here)
    os.environ.clear()
    os.environ.update(environ)
    added = [entry for entry in environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [here, *(os.path.join(here, entry) for entry in added), *sys.path]  # noqa: PTH118  (of text)
    sys.argv[:] = [name, *words]
    threading.Thread(target=_end_with, args=[client], daemon=True).start()
    code = _run(name)
    sys.stdout.flush()
    sys.stderr.flush()
    client.send(str(code).encode())
    os._exit(code)


def _run(module: str) -> int:
    """The exit code, its reason told as an interpreter would."""
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
    _serve(socket.socket(fileno=int(sys.argv[1])))
