"""The process that moto's server is: it ends when the pipe on its standard input does.

That happens however its parent ends, even by SIGKILL. The first line of the pipe is the list of
images, in moto's own form. The listening socket is inherited, so that whoever connects early
waits rather than fails. A line on standard output says that it answers.
"""

import logging
import os
import sys
import tempfile
import threading
from typing import Any, BinaryIO

from sandbox import moto_patch
from sandbox.moto_doors import with_doors
from sandbox.moto_retries import answering_again

# Loaded before the first call, while the parent is busy with its own imports.
_SERVICES = ("ec2", "iam", "ssm", "dynamodb", "s3", "sts")


def main() -> None:
    images = sys.stdin.buffer.readline()
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    logging.disable()
    # An unknown image is refused, as in AWS.
    os.environ["MOTO_ENABLE_AMI_VALIDATION"] = "true"
    server = _server(int(sys.argv[1]), _application(images))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


def _end_with(pipe: BinaryIO) -> None:
    pipe.read()
    os._exit(0)


def _application(images: bytes) -> Any:
    """moto, with our images in the place of its own long list, which takes seconds to load."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(images)
        file.flush()
        # moto reads the variable and the file while it is imported.
        os.environ["MOTO_AMIS_PATH"] = file.name
        from moto.moto_server.werkzeug_app import (  # noqa: PLC0415  (as said above)
            DomainDispatcherApplication,
            create_backend_app,
        )

        application = DomainDispatcherApplication(create_backend_app)
        for service in _SERVICES:
            application.app_instances[service] = create_backend_app(service)  # type: ignore[arg-type]  # a Literal of every service's name
        moto_patch.apply()
        return with_doors(answering_again(application))


def _server(listening: int, application: Any) -> Any:
    from moto.moto_server.werkzeug_app import MotoRequestHandler  # noqa: PLC0415  (see above)
    from werkzeug.serving import make_server  # noqa: PLC0415  (only after moto's own imports)

    class Handler(MotoRequestHandler):
        # Headers and body are written apart, and would wait for each other's acknowledgement.
        disable_nagle_algorithm = True

        def log_request(self, *_: object) -> None:
            """Nobody reads it."""

    return make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=Handler, fd=listening
    )


if __name__ == "__main__":
    main()
