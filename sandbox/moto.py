"""moto's server, in a process of its own that never outlives this one."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import aiohttp

from fleet_control.seed import BOOT_TAG, COMMIT_TAG
from sandbox.host_rules import Rules
from sandbox.image import SeededImage
from sandbox.loopback import listen, url_of
from sandbox.operator_environ import leave_out
from sandbox.principal import ACCOUNT

_SECONDS_TO_END = 5.0


class MotoServer:
    """A taken `port` is replaced by a free one; 0 takes any. `python` is what it runs on."""

    def __init__(
        self,
        images: Sequence[SeededImage],
        port: int = 0,
        environ: Mapping[str, str] = os.environ,
        python: Path = Path(sys.executable),
    ) -> None:
        self._images = images
        self._port = port
        self._environ = environ
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int:
        """The process's id while it runs; 0 else."""
        return self._process.pid if self._process else 0

    async def start(self) -> str:
        """Its URL, once it answers; RuntimeError with its last words if it never will."""
        with (
            listen(self._port) as listening,
            tempfile.TemporaryFile() as images,
            tempfile.TemporaryFile() as complaints,
        ):
            images.write(json.dumps([_image(one) for one in self._images]).encode())
            images.seek(0)
            self._process = self._spawn(listening.fileno(), images.fileno(), complaints)
            said = self._process.stdout
            if said is None or not await asyncio.to_thread(said.readline):
                complaints.seek(0)
                last = complaints.read().decode(errors="replace").strip()[-400:]
                raise RuntimeError(f"moto's server did not start: {last}")
            return url_of(listening)

    def _spawn(self, listening: int, images: int, complaints: IO[bytes]) -> subprocess.Popen[bytes]:
        # Its credentials are the callers', and its settings ours.
        inherited = {
            name: value for name, value in self._environ.items() if not name.startswith("MOTO_")
        }
        leave_out(inherited)
        return subprocess.Popen(  # noqa: S603  (an interpreter and a module of ours)
            [str(self._python), "-m", "sandbox.moto_process", str(listening)],
            env={
                **inherited,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                # In the place of moto's own long list, which takes seconds to load.
                "MOTO_AMIS_PATH": f"/dev/fd/{images}",
                # An unknown image is refused, as in AWS.
                "MOTO_ENABLE_AMI_VALIDATION": "true",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            pass_fds=[listening, images],
            # Of its own session, or the terminal's Ctrl-C would end it before we are done.
            start_new_session=True,
        )

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the process's standard input, at which it ends."""
    try:
        process.communicate(timeout=_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


async def tell(url: str, route: str, what: object) -> Any:
    """What a route of the process at `url` answers, by its name in `moto_admin`."""
    async with (
        aiohttp.ClientSession(raise_for_status=True) as session,
        session.post(f"{url}/-/{route}", json=what) as answer,
    ):
        return await answer.json()


async def set_rules(url: str, rules: Rules) -> None:
    """Set how hosts behave from now on; what was launched before stays well or unwell."""
    await tell(url, "rules", asdict(rules))


def _image(image: SeededImage) -> dict[str, object]:
    """An image as ``MOTO_AMIS_PATH`` has it."""
    made = datetime.fromtimestamp(image.created, UTC)
    tags = {
        "clawdinator": "true",
        "Name": image.name,
        COMMIT_TAG: image.commit,
        BOOT_TAG: image.boot,
    }
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
        "tags": {name: value for name, value in tags.items() if value},
    }
