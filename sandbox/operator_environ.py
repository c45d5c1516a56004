"""What of an operator's environment is none of the sandbox's: their AWS account, their proxies."""

import os
from collections.abc import MutableMapping

_HERE = ("127.0.0.1", "localhost")
_NO_PROXY = ("NO_PROXY", "no_proxy")


def leave_out(environ: MutableMapping[str, str]) -> None:
    """Keep both from what is asked of this machine; a real front goes by the proxies still."""
    for name in [one for one in environ if one.startswith(("AWS_", "BOTO_"))]:
        del environ[name]
    # A file of theirs that can't be read would keep the SDK from its work, whoever's keys it has.
    environ["AWS_CONFIG_FILE"] = environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    environ["AWS_EC2_METADATA_DISABLED"] = "true"
    without = next(filter(None, map(environ.get, reversed(_NO_PROXY))), "")
    if without != "*":
        for name in _NO_PROXY:
            environ[name] = ",".join(filter(None, (without, *_HERE)))
