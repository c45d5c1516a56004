"""What AWS refuses, told as OpenTofu tells it."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.tofu.failure import Failed


@contextmanager
def told() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        detail = error.response.get("Error", {})
        raise Failed(
            f"{error.operation_name}: api error {detail.get('Code')}: {detail.get('Message')}"
        ) from error
    except BotoCoreError as error:
        raise Failed(f"AWS did not answer ({type(error).__name__})") from error
