"""moto's server, in a process of its own that never outlives this one."""

from collections.abc import Sequence

from clawbot.sandbox.image import Image


class MotoServer:
    """`launch` returns at once, so that the caller can import while moto does; `ready` waits.

    A taken `port` is replaced by a free one; 0 takes any.
    """

    def __init__(self, images: Sequence[Image], port: int = 0) -> None:
        self._images = images
        self._port = port

    def launch(self) -> None:
        raise NotImplementedError

    async def ready(self) -> str:
        """Its URL, once it answers."""
        raise NotImplementedError

    async def start(self) -> str:
        self.launch()
        return await self.ready()

    async def stop(self) -> None:
        raise NotImplementedError
