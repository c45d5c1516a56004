"""One cache of AWS's service descriptions, megabytes of JSON, for all sessions of botocore."""

from functools import cache

import botocore.session


def read_once() -> None:
    """From now on the sessions of this process share what one of them has read."""
    botocore.session.create_loader = cache(botocore.session.create_loader)
