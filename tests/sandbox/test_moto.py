"""moto's server in a process of its own."""

import asyncio
import os
import signal
import socket
import subprocess
import sys

import aiohttp
import pytest

from sandbox.image import images
from sandbox.moto import MotoServer

# Starts a server as a parent would, says where it is and who it is, and waits to be killed.
PARENT = """
import asyncio, sys, time
from sandbox.image import images
from sandbox.moto import MotoServer
server = MotoServer(images(time.time()))
print(asyncio.run(server.start()), server.process_id, flush=True)
time.sleep(600)
"""


async def test_the_asked_port_is_taken_where_it_is_free() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        free = other.getsockname()[1]
    server = MotoServer(images(0), free)

    assert await server.start() == f"http://127.0.0.1:{free}"
    # Of another session than ours: the terminal's interrupt does not reach it.
    assert os.getsid(server.process_id) != os.getsid(0)
    await server.stop()


async def test_another_port_is_taken_silently_where_the_asked_one_is_not_free(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        server = MotoServer(images(0), taken)
        url = await server.start()
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/nowhere", data=b"nonsense") as answer,
    ):
        await answer.read()
    await server.stop()

    assert url != f"http://127.0.0.1:{taken}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_it_dies_with_its_parent_however_that_dies(how: signal.Signals) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=subprocess.PIPE
    )
    assert parent.stdout
    url, pid = (await parent.stdout.readline()).split()
    moto = os.pidfd_open(int(pid))
    gone = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_reader(moto, gone.set_result, None)

    parent.send_signal(how)
    await parent.wait()
    await asyncio.wait_for(gone, 10)

    asyncio.get_running_loop().remove_reader(moto)
    os.close(moto)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url.decode())


async def test_a_server_that_cannot_start_says_why() -> None:
    server = MotoServer(images(0), environ={"PYTHONHASHSEED": "nonsense"})

    with pytest.raises(RuntimeError, match=r"did not start: (.|\n)*PYTHONHASHSEED"):
        await server.start()
    await server.stop()


async def test_stopping_twice_or_before_the_start_does_no_harm() -> None:
    server = MotoServer(images(0))

    await server.stop()
    await server.stop()


async def test_a_call_that_is_sent_again_is_not_done_again() -> None:
    """As the AWS SDK for Go does where an answer came too fast for it."""
    server = MotoServer(images(0))
    url = await server.start()
    async with aiohttp.ClientSession() as session:

        async def ask(invocation: str, attempt: int, **asked: str) -> tuple[int, str]:
            headers = {
                "authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/ec2/aws4",
                "amz-sdk-invocation-id": invocation,
                "amz-sdk-request": f"attempt={attempt}; max=5",
            }
            form = {"Version": "2016-11-15", **asked}
            async with session.post(url, data=form, headers=headers) as answer:
                text = await answer.text()
                return answer.status, text.partition("<instanceId>")[2].partition("<")[0]

        launch = {"Action": "RunInstances", "ImageId": images(0)[0].id}
        launch |= {"MinCount": "1", "MaxCount": "1"}
        first = await ask("one", 1, **launch)
        assert first[0] == 200
        assert first[1].startswith("i-")
        assert await ask("one", 2, **launch) == first
        assert await ask("two", 1, **launch) != first
        # What failed on moto's side may be done anew.
        assert await ask("three", 1, Action="NoSuchAction") == (500, "")
        assert (await ask("three", 2, **launch))[0] == 200
    await server.stop()
