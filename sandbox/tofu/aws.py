"""AWS, by the credentials of the environment; what it refuses is told as OpenTofu tells it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.tofu import TofuError

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=10,
)


@cache
def _session() -> botocore.session.Session:
    """One for all clients: to make one takes as long as a client."""
    return botocore.session.get_session()


@contextmanager
def client(service: str, environ: Mapping[str, str]) -> Iterator[Any]:
    made = _session().create_client(
        service,
        region_name=environ["AWS_REGION"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environ.get("AWS_SESSION_TOKEN"),
        endpoint_url=environ.get("AWS_ENDPOINT_URL"),
        config=_CONFIG,
    )
    try:
        yield made
    except ClientError as error:
        said = error.response.get("Error", {})
        raise TofuError(
            f"{error.operation_name}: api error {said.get('Code')}: {said.get('Message')}"
        ) from error
    except BotoCoreError as error:
        raise TofuError(str(error)) from error
    finally:
        made.close()
