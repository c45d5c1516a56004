"""moto's server, in a process of its own that never outlives this one."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import IO

from sandbox.image import Image
from sandbox.loopback import listen, url_of
from sandbox.principal import ACCOUNT

_SECONDS_TO_END = 5.0
# Its credentials are the callers', and its settings ours.
_WITHHELD = ("AWS_", "MOTO_")


class MotoServer:
    """`launch` returns at once, so that the caller can import while moto does; `ready` waits.

    A taken `port` is replaced by a free one; 0 takes any.
    """

    def __init__(
        self, images: Sequence[Image], port: int = 0, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._images = images
        self._port = port
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""
        self._complaints: IO[bytes] | None = None

    def launch(self) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `stop`)
        with listen(self._port) as listening:
            self._url = url_of(listening)
            self._process = self._spawn(listening)
        pipe = self._process.stdin
        # Where it died at once, `ready` says why.
        with suppress(BrokenPipeError):
            if pipe is not None:
                pipe.write(_images_file(self._images))
                pipe.flush()

    def _spawn(self, listening: socket.socket) -> subprocess.Popen[bytes]:
        inherited = {
            name: value for name, value in self._environ.items() if not name.startswith(_WITHHELD)
        }
        return subprocess.Popen(  # noqa: S603  (this interpreter and a module of ours)
            [sys.executable, "-m", "sandbox.moto_process", str(listening.fileno())],
            env={**inherited, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            pass_fds=[listening.fileno()],
            # Of its own session, or the terminal's Ctrl-C would end it before we are done.
            start_new_session=True,
        )

    async def ready(self) -> str:
        """Its URL, once it answers; RuntimeError with its last words if it never will."""
        process = self._process
        if process is None or process.stdout is None:
            raise RuntimeError("moto was not launched")
        if not await asyncio.to_thread(process.stdout.readline):
            raise RuntimeError(f"moto's server did not start: {self._last_words()}")
        return self._url

    def _last_words(self) -> str:
        if self._complaints is None:
            return ""
        self._complaints.seek(0)
        return self._complaints.read().decode(errors="replace").strip()[-400:]

    @property
    def process_id(self) -> int:
        """Of the process while it runs; 0 else."""
        return self._process.pid if self._process else 0

    async def start(self) -> str:
        self.launch()
        return await self.ready()

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(_end, process)
        if self._complaints is not None:
            self._complaints.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):
            if pipe is not None:
                pipe.close()
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _images_file(images: Sequence[Image]) -> bytes:
    """The images as ``MOTO_AMIS_PATH`` has them, on one line."""
    return json.dumps([_image(one) for one in images]).encode() + b"\n"


def _image(image: Image) -> dict[str, object]:
    made = datetime.fromtimestamp(image.created, UTC)
    return {
        "ami_id": image.id,
        "name": image.name,
        "description": "NixOS, CLAWDINATOR inside",
        "owner_id": ACCOUNT,
        "public": False,
        "virtualization_type": "hvm",
        "architecture": "x86_64",
        "state": "available",
        "platform": None,
        "image_type": "machine",
        "hypervisor": "xen",
        "root_device_name": "/dev/xvda",
        "root_device_type": "ebs",
        "sriov": "simple",
        "creation_date": made.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "tags": {"clawdinator": "true", "Name": image.name},
    }
