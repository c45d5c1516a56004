"""The proxy by which the outside is reached: the one that boto3 reaches AWS by.

HTTPS_PROXY (or HTTP_PROXY, for an `http://` address) names it, NO_PROXY whoever is reached without.
This machine always is.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from botocore.httpsession import ProxyConfiguration
from botocore.utils import get_environ_proxies


def proxies(url: str | None) -> dict[str, str] | None:
    """What boto3 is to be told of proxies for this endpoint; None leaves it to its own rule."""
    return {} if url and is_this_machine(url) else None


def proxy(url: str) -> str | None:
    """The proxy's URL, perhaps with a password in it; None where the way is straight."""
    if is_this_machine(url):
        return None
    found: str | None = ProxyConfiguration(get_environ_proxies(url)).proxy_url_for(url)
    return found


def is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
