"""Signs a POST to a Function URL with AWS's signature, version 4."""

from collections.abc import Mapping
from datetime import UTC, datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_ALGORITHM = "AWS4-HMAC-SHA256"


class FunctionUrlSigner:
    """Signs for a Function URL. Its keys are in no repr."""

    def __init__(self, access_key: str, secret_key: str, region: str) -> None:
        self._sigv4 = SigV4Auth(Credentials(access_key, secret_key), "lambda", region)

    def signed(self, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers to send: the given ones, the date and the signature.

        Step by step, since botocore's `add_auth` writes what it signs to the debug log, and one of
        the headers is a secret.
        """
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        sent = {**headers, "X-Amz-Date": moment}
        request = AWSRequest(method="POST", url=url, data=body, headers=sent)
        request.context["timestamp"] = moment
        sigv4 = self._sigv4
        words = sigv4.string_to_sign(request, sigv4.canonical_request(request))
        signature = sigv4.signature(words, request)
        names = sigv4.signed_headers(sigv4.headers_to_sign(request))
        authorization = (
            f"{_ALGORITHM} Credential={sigv4.scope(request)}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return {**sent, "Authorization": authorization}
