"""What the AWS SDK raises, in sentences that say what to do; no key is in any."""

import os

from botocore.exceptions import BotoCoreError, ClientError

from fleet_control import skew

AwsError = BotoCoreError | ClientError

_SIGN_IN = "`aws sso login --profile {whose}`, then the same again"
_SIGNED_OUT = (
    f"The AWS sign-on of profile `{{whose}}` has ended or is missing. Sign in again: {_SIGN_IN}."
)
# By the name of the exception or of the family it is of: not every version of the SDK has all.
_SENTENCES = {
    "ProfileNotFound": (
        "There is no AWS profile `{profile}`: set AWS_PROFILE to one that `aws configure "
        "list-profiles` shows, or make this one with `aws configure sso --profile {profile}`."
    ),
    "LoginError": (
        "The AWS sign-on of profile `{whose}` has ended or is missing. Sign in again: "
        "`aws login --profile {whose}`, then the same again."
    ),
    "SSOError": _SIGNED_OUT,
    "TokenRetrievalError": _SIGNED_OUT,
    "CredentialRetrievalError": (
        "The AWS credentials of profile `{whose}` can't be had: {provider} failed. Sign in again "
        "where it asks for that, and run what the profile names as its credential_process by hand."
    ),
    "PartialCredentialsError": (
        "The AWS credentials are there by half ({provider}): {cred_var} is missing. Set "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY both, or neither and AWS_PROFILE."
    ),
    "NoCredentialsError": (
        "There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
        "AWS_PROFILE, as for the AWS CLI."
    ),
    "RefreshWithMFAUnsupportedError": _SIGNED_OUT,
    "NoRegionError": "AWS_REGION is not set: the fleet's, as in eu-central-1.",
    "InvalidRegionError": "AWS_REGION is no region: the fleet's, as in eu-central-1.",
    "ConfigParseError": "{path} can't be read as the AWS CLI's configuration. Mend it.",
    "ConfigNotFound": "{path} is not there; AWS_CONFIG_FILE names the AWS CLI's configuration.",
    "UnknownCredentialError": (
        "Profile `{whose}` takes its AWS credentials from {name}, which the AWS SDK does not know. "
        "Mend its `credential_source`."
    ),
    "InvalidConfigError": "Profile `{whose}` is not complete: {error_msg}",
    "ProxyConnectionError": (
        "AWS can't be reached by the proxy that HTTPS_PROXY names: it is away, or refuses. Mend "
        "that, or unset it; NO_PROXY names whoever is reached without."
    ),
}
_ENDED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired")
_UNKNOWN_KEY = (
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "UnrecognizedClientException",
)


def words(error: AwsError, otherwise: str) -> str:
    """A sentence on what to do about the credentials, the set-up or the clock; `otherwise` where
    it is none of them."""
    if isinstance(error, ClientError):
        return _refused(error) or otherwise
    if said := skew.by_certificate(error):
        return f"AWS can't be reached. {said}"
    if isinstance(error.kwargs.get("error"), ValueError):
        # Its words may hold the proxy's password.
        return "AWS can't be asked: HTTPS_PROXY, or the address that AWS is asked at, is no URL."
    known = _Known({**error.kwargs, "whose": profile()})
    for kind in type(error).__mro__:
        if kind.__name__ in _SENTENCES:
            return _SENTENCES[kind.__name__].format_map(known)
    return otherwise


def of_settings(error: BotoCoreError) -> str:
    """Why no client could be made."""
    return words(error, f"AWS's settings in the environment are wrong ({name(error)}).")


def refused_for_time(error: ClientError) -> str:
    """That AWS refused a request for its time, and what the clocks are; empty where it did not."""
    said = error.response.get("Error", {})
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return skew.refused(headers.get("date"), said.get("Code", ""), said.get("Message", ""))


def name(error: AwsError) -> str:
    """AWS's code for what is wrong, or the SDK's name for it."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "an unknown error")
    return type(error).__name__


def profile() -> str:
    """The profile whose credentials the SDK takes where it is given none."""
    environ = os.environ
    return environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"


def _refused(error: ClientError) -> str:
    if said := refused_for_time(error):
        return said
    code = error.response.get("Error", {}).get("Code", "")
    if code in _ENDED:
        again = _SIGN_IN.format(whose=profile())
        return f"These AWS credentials have ended ({code}). Sign in again: {again}."
    if code in _UNKNOWN_KEY:
        return (
            f"AWS does not know these credentials ({code}): set others, or sign in again: "
            f"{_SIGN_IN.format(whose=profile())}."
        )
    return ""


class _Known(dict[str, object]):
    """What is known of an error; the rest is only some."""

    def __missing__(self, _: str) -> str:
        return "something"
