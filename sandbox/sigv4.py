"""Signature Version 4 as AWS checks it: who signed this very request, or why not.

Written from AWS's description of the algorithm rather than over botocore's: what signs and what
checks should not share a mistake.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from sandbox.principal import IamPrincipal

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW_SECONDS = 300
_CREDENTIAL = re.compile(r"([^/]+)/(\d{8})/([^/]*)/([^/]*)/aws4_request")
_STAMP = "%Y%m%dT%H%M%SZ"
_SPACES = re.compile(r" +")


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived.

    Attributes:
        target: path and query, as they stood in the request's first line.
        headers: in their order, names as sent.
    """

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Every value of a header, trimmed and joined, or None."""
        found = [value for key, value in self.headers if key.lower() == name]
        return ",".join(_SPACES.sub(" ", value.strip()) for value in found) if found else None


@dataclass(frozen=True, slots=True)
class SignatureRefusal:
    """Why AWS would not believe a request: its error type, and its words."""

    type: str
    message: str


@dataclass(frozen=True, slots=True)
class _Claim:
    access_key: str
    day: str
    region: str
    service: str
    signed: tuple[str, ...]
    signature: str


def verify(
    request: Received,
    principals: Mapping[str, IamPrincipal],
    region: str,
    service: str,
    now: float,
) -> IamPrincipal | SignatureRefusal:
    """The principal that signed; `principals` by access key, `now` in Unix seconds."""
    claim = _claim(request.header("authorization") or "")
    if isinstance(claim, SignatureRefusal):
        return claim
    stamp = request.header("x-amz-date") or ""
    refusal = _scope(claim, region, service) or _signs_enough(claim, request)
    refusal = refusal or _fresh(stamp, claim.day, now)
    if refusal:
        return refusal
    principal = principals.get(claim.access_key)
    # No key here is a temporary one, so no token goes with any.
    if principal is None or request.header("x-amz-security-token") is not None:
        return SignatureRefusal(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    expected = _signature(principal.secret_key, claim, stamp, _canonical(request, claim.signed))
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()) or _claims_other_body(
        request
    ):
        return SignatureRefusal(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method. "
            "Consult the service documentation for details.",
        )
    return principal


def _claim(authorization: str) -> _Claim | SignatureRefusal:
    if not authorization.startswith(f"{ALGORITHM} "):
        return SignatureRefusal("AccessDeniedException", "Forbidden")
    parts = dict(
        part.strip().partition("=")[::2]
        for part in authorization.removeprefix(ALGORITHM).split(",")
    )
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if not parts.get(name)]
    if missing:
        return SignatureRefusal(
            "IncompleteSignatureException",
            " ".join(f"Authorization header requires '{name}' parameter." for name in missing),
        )
    credential = _CREDENTIAL.fullmatch(parts["Credential"])
    if credential is None:
        return SignatureRefusal(
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements.",
        )
    signed = tuple(parts["SignedHeaders"].split(";"))
    key, day, region, service = credential.groups()
    return _Claim(key, day, region, service, signed, parts["Signature"])


def _scope(claim: _Claim, region: str, service: str) -> SignatureRefusal | None:
    if claim.service != service:
        words = f"Credential should be scoped to correct service: '{service}'."
    elif claim.region != region:
        words = "Credential should be scoped to a valid region."
    else:
        return None
    return SignatureRefusal("InvalidSignatureException", words)


def _signs_enough(claim: _Claim, request: Received) -> SignatureRefusal | None:
    if "host" not in claim.signed:
        return SignatureRefusal(
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        )
    names = dict.fromkeys(name.lower() for name, _ in request.headers)
    unsigned = [name for name in names if name.startswith("x-amz-") and name not in claim.signed]
    if unsigned:
        return SignatureRefusal(
            "InvalidSignatureException",
            f"There were headers present in the request which were not signed: "
            f"{', '.join(unsigned)}",
        )
    return None


def _fresh(stamp: str, day: str, now: float) -> SignatureRefusal | None:
    try:
        signed = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return SignatureRefusal(
            "IncompleteSignatureException",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        )
    if not stamp.startswith(day):
        words = (
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
            f"from HTTP: '{day}' != '{stamp[:8]}', from '{stamp}'."
        )
    elif signed < now - SKEW_SECONDS:
        words = (
            f"Signature expired: {stamp} is now earlier than {_stamp(now - SKEW_SECONDS)} "
            f"({_stamp(now)} - 5 min.)"
        )
    elif signed > now + SKEW_SECONDS:
        words = (
            f"Signature not yet current: {stamp} is still later than "
            f"{_stamp(now + SKEW_SECONDS)} ({_stamp(now)} + 5 min.)"
        )
    else:
        return None
    return SignatureRefusal("InvalidSignatureException", words)


def _stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime(_STAMP)


def _canonical(request: Received, signed: Sequence[str]) -> str:
    path, _, query = request.target.partition("?")
    return "\n".join(
        (
            request.method,
            _canonical_path(path),
            _canonical_query(query),
            *(f"{name}:{request.header(name) or ''}" for name in signed),
            "",
            ";".join(signed),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def _canonical_path(path: str) -> str:
    """Dots and double slashes resolved, and encoded once more than it was sent."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            kept[-1:] = []
        elif part not in ("", "."):
            kept.append(part)
    tail = "/" if kept and path.endswith("/") else ""
    return quote("/" + "/".join(kept) + tail, safe="/-_.~")


def _canonical_query(query: str) -> str:
    pairs = (part.partition("=")[::2] for part in query.split("&") if part)
    encoded = sorted(
        (quote(unquote(name), safe="-_.~"), quote(unquote(value), safe="-_.~"))
        for name, value in pairs
    )
    return "&".join(f"{name}={value}" for name, value in encoded)


def _signature(secret: str, claim: _Claim, stamp: str, canonical: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in (claim.day, claim.region, claim.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    scope = f"{claim.day}/{claim.region}/{claim.service}/aws4_request"
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    text = f"{ALGORITHM}\n{stamp}\n{scope}\n{digest}"
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()


def _claims_other_body(request: Received) -> bool:
    said = request.header("x-amz-content-sha256")
    return said is not None and said != hashlib.sha256(request.body).hexdigest()
