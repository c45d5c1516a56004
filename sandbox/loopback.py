"""Ports on this machine, and on no other interface."""

import socket

_BACKLOG = 128


def listen(port: int) -> socket.socket:
    """A socket that listens on the asked port, or on any free one where that is taken or 0."""
    for candidate in dict.fromkeys((port, 0)):
        listening = socket.socket()
        # A port that a sandbox before us has just left may be taken again at once.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", candidate))
            listening.listen(_BACKLOG)
        except OSError:
            listening.close()
            if candidate == 0:
                raise
        else:
            return listening
    raise AssertionError("0 was tried last, and it returned or raised")


def url_of(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"
