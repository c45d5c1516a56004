"""What is the same for all sessions of botocore in a process, read and made once.

AWS's service descriptions are megabytes of JSON, and a client's class has a method for each
operation in them: hundreds for EC2.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.session
from botocore.client import ClientCreator
from botocore.model import ServiceModel

_Create = Callable[[ClientCreator, ServiceModel], dict[str, Any]]


def read_once() -> None:
    """Have all sessions of this process share what the first one reads and makes of it."""
    botocore.session.create_loader = cache(botocore.session.create_loader)
    creator: Any = ClientCreator
    creator._create_methods = _once_a_service(creator._create_methods)  # noqa: SLF001  (no other way in)


def _once_a_service(create: _Create) -> _Create:
    made: dict[tuple[str, str], dict[str, Any]] = {}

    def methods(creator: ClientCreator, service: ServiceModel) -> dict[str, Any]:
        key = service.service_name, service.api_version
        if key not in made:
            made[key] = create(creator, service)
        # A class may be given more methods, or others.
        return dict(made[key])

    return methods
