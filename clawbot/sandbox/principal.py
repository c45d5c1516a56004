"""Who can sign in the sandbox: IAM users, each with one access key."""

from dataclasses import dataclass, field

ACCOUNT = "123456789012"
REGION = "eu-central-1"


@dataclass(frozen=True, slots=True)
class Principal:
    """An IAM user and its key.

    Attributes:
        user_id: as IAM has it, ``AIDA…``.
        may_invoke: whether its policy lets it invoke the Control API by its URL.
    """

    arn: str
    account_id: str
    user_id: str
    access_key: str
    secret_key: str = field(repr=False)
    may_invoke: bool = True
