"""As much of Lambda's Runtime API as AWS's own runtime client needs, and that client itself."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.lambda_fn.events import FUNCTION_ARN

_VERSION = "/2018-06-01/runtime"


class RuntimeApi:
    """Hands out events one by one, and takes what the function makes of them."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[object] = asyncio.Queue()
        self._answers: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def invoke(self, event: object) -> tuple[str, Any]:
        """What came back: ("response" or "error", its JSON)."""
        await self._events.put(event)
        return await asyncio.wait_for(self._answers.get(), 30)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get(f"{_VERSION}/invocation/next", self._next)
        app.router.add_post(f"{_VERSION}/invocation/{{id}}/{{kind}}", self._take)
        app.router.add_post(f"{_VERSION}/init/{{kind}}", self._take)
        return app

    async def _next(self, _: web.Request) -> web.Response:
        event = await self._events.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 15_000),
            "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
            "Content-Type": "application/json",
        }
        return web.Response(body=json.dumps(event).encode(), headers=headers)

    async def _take(self, request: web.Request) -> web.Response:
        await self._answers.put((request.match_info["kind"], await request.json()))
        return web.Response(status=202)


@asynccontextmanager
async def started(task_root: Path, environ: Mapping[str, str]) -> AsyncIterator[RuntimeApi]:
    """AWS's runtime client, running the function that is unpacked at `task_root`."""
    api = RuntimeApi()
    runner = web.AppRunner(api.app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "awslambdaric", "lambda_fn.handler.handler"),
        cwd=task_root,
        env={
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runner.addresses[0][1]}",
            "AWS_LAMBDA_FUNCTION_NAME": "clawdinator-control-api",
            "LAMBDA_TASK_ROOT": str(task_root),
            **environ,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield api
    finally:
        process.kill()
        await process.communicate()
        await runner.cleanup()
