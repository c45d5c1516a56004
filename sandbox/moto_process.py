"""The process that moto's server is: it ends when the pipe on its standard input does.

That happens however its parent ends, even by SIGKILL. The listening socket is inherited, so that
whoever connects early waits rather than fails. A line on standard output says that it answers.
"""

import logging
import os
import sys
import threading
from typing import Any, BinaryIO

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from sandbox import ec2_refusal, host_life, service_check
from sandbox.moto_doors import with_doors
from sandbox.moto_retries import answering_again

# Loaded before the first call, while the parent is busy with its own imports.
_SERVICES = ("ec2", "iam", "ssm", "dynamodb", "s3", "sts")


def main() -> None:
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    logging.disable()
    server = make_server(
        "127.0.0.1",
        0,
        _application(),
        threaded=True,
        request_handler=_Handler,
        fd=int(sys.argv[1]),
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


def _end_with(pipe: BinaryIO) -> None:
    pipe.read()
    os._exit(0)


def _application() -> Any:
    host_life.take_place()
    service_check.take_place()
    ec2_refusal.take_place()
    application = DomainDispatcherApplication(create_backend_app)
    for service in _SERVICES:
        application.app_instances[service] = create_backend_app(service)  # type: ignore[arg-type]  # a Literal of every service's name
    return with_doors(answering_again(application))


class _Handler(MotoRequestHandler):
    # Headers and body are written apart, and would wait for each other's acknowledgement.
    disable_nagle_algorithm = True

    def log_request(self, *_: object) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    main()
