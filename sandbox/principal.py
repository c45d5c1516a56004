"""The IAM users and roles whose keys sign requests in the sandbox."""

from dataclasses import dataclass, field

ACCOUNT = "123456789012"
REGION = "eu-central-1"


@dataclass(frozen=True, slots=True)
class IamPrincipal:
    """An IAM user and its key, or a role's session.

    Attributes:
        user_id: as IAM has it, ``AIDA…``.
        may_invoke: whether its policy lets it invoke the Control API by its URL.
    """

    arn: str
    account_id: str
    user_id: str
    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    may_invoke: bool = True

    @property
    def environ(self) -> dict[str, str]:
        """Its credentials, as environment variables of AWS's programs."""
        keys = {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }
        return {name: value for name, value in keys.items() if value}
