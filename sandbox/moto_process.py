"""The process that moto's server is: it ends when the pipe on its standard input does.

That happens however its parent ends, even by SIGKILL. The listening socket is inherited, so that
whoever connects early waits rather than fails. A line on standard output says that it answers.
"""

import gc
import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from sandbox.botocore_cache import read_once


def main() -> None:
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    logging.disable()
    # Importing moto makes sessions and hundreds of thousands of objects that stay.
    read_once()
    gc.disable()
    from sandbox.moto_server import made  # noqa: PLC0415  (after that)

    server = made(int(sys.argv[1]), json.loads(Path(os.environ["MOTO_AMIS_PATH"]).read_bytes()))
    gc.freeze()
    gc.enable()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


def _end_with(pipe: BinaryIO) -> None:
    pipe.read()
    os._exit(0)


if __name__ == "__main__":
    main()
