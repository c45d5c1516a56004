"""moto's server with what of EC2's the sandbox plays itself; runs inside moto's process."""

from typing import Any

from moto.ec2.models import amis
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from sandbox import ec2_refusal, host_lifecycle, moto_lookups, service_check
from sandbox.moto_admin import with_admin_routes
from sandbox.moto_retries import answering_again

# Loaded before the first call, while the parent is busy with its own imports.
_SERVICES = ("ec2", "iam", "ssm", "dynamodb", "s3", "sts", "logs")


def made(listening: int, images: list[dict[str, Any]]) -> BaseWSGIServer:
    """The server of a socket that listens; it does not serve yet. Its EC2 has these images."""
    # moto reads its own once it is imported, which may have been for another.
    amis.AMIS = images
    return make_server(
        "127.0.0.1", 0, _application(), threaded=True, request_handler=_Handler, fd=listening
    )


def _application() -> Any:
    host_lifecycle.take_place()
    service_check.take_place()
    ec2_refusal.take_place()
    moto_lookups.take_place()
    application = DomainDispatcherApplication(create_backend_app)
    for service in _SERVICES:
        application.app_instances[service] = create_backend_app(service)  # type: ignore[arg-type]  # a Literal of every service's name
    return with_admin_routes(answering_again(application))


class _Handler(MotoRequestHandler):
    # Headers and body are written apart, and would wait for each other's acknowledgement.
    disable_nagle_algorithm = True

    def log_request(self, *_: object) -> None:
        """Write no log, which nobody reads."""
