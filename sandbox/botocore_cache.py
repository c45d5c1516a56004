"""One cache of AWS's service descriptions, megabytes of JSON, for all sessions of botocore."""

from functools import cache

import botocore.session


def read_once() -> None:
    """Have all sessions of this process share what the first one reads."""
    botocore.session.create_loader = cache(botocore.session.create_loader)
