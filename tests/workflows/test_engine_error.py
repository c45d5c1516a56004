"""The engine's last words, as OpenTofu and its provider write them, and what is told of them."""

from collections.abc import Callable

import pytest

from workflows.fleet_deploy.engine_error import failure

WRAPPED = "https response error StatusCode: 400, RequestID: 5f2b4c1e-77aa-4d0e-9a51-3f1d2c4b5a69"
RUN = f"creating EC2 Instance: operation error EC2: RunInstances, {WRAPPED}, api error "
END = (
    "terminating EC2 Instance (i-0123456789abcdef0): operation error EC2: TerminateInstances, "
    f"{WRAPPED}, api error "
)
SNIPPET = """
  with aws_instance.clawdinator["clawdinator-2"],
  on hosts.tf line 1, in resource "aws_instance" "clawdinator":
   1: resource "aws_instance" "clawdinator" {
"""
MAY_NOT = (
    "The instance 'i-0123456789abcdef0' may not be terminated. Modify its 'disableApiTermination' "
    "instance attribute and try again."
)
CAPACITY = (
    "We currently do not have sufficient t3.large capacity in the Availability Zone you requested "
    "(eu-central-1a). Our system will be working on provisioning additional capacity. You can "
    "currently get t3.large capacity by not specifying an Availability Zone in your request."
)


def framed(text: str) -> str:
    """As OpenTofu draws it where it may colour."""
    return "\n".join(["╷", *(f"│ {line}" for line in text.splitlines()), "╵"])


@pytest.mark.parametrize("drawn", [str, framed])
@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"{END}OperationNotPermitted: {MAY_NOT}",
         "terminating EC2 Instance (i-0123456789abcdef0): OperationNotPermitted: The instance "
         "'i-0123456789abcdef0' may not be terminated. Modify its 'disableApiTermination' instance "
         "attribute and try again"),
        (f"{RUN}InsufficientInstanceCapacity: {CAPACITY}",
         "creating EC2 Instance: InsufficientInstanceCapacity: We currently do not have sufficient "
         "t3.large capacity in the Availability Zone you requested (eu-central-1a)"),
        (f"{RUN}UnauthorizedOperation: You are not authorized to perform this operation. Encoded "
         f"authorization failure message: {'Qx7' * 200}",
         "creating EC2 Instance: UnauthorizedOperation: You are not authorized to perform this "
         "operation"),
        (f"operation error S3: GetObject, {WRAPPED}, api error NoSuchBucket: There is none",
         "NoSuchBucket: There is none"),
        ("Error refreshing state: 1 error occurred:\n\t* operation error S3: HeadObject, "
         f"{WRAPPED}, api error Forbidden: Forbidden",
         "Error refreshing state: Forbidden: Forbidden"),
        ("Saved plan is stale", "Saved plan is stale"),
    ],
)  # fmt: skip
def test_what_aws_said_is_told_and_not_what_it_was_wrapped_in(
    drawn: Callable[[str], str], said: str, told: str
) -> None:
    text = drawn(f"Error: {said}\n{SNIPPET}\n")

    assert failure("apply", 1, f"Planning...\n\n{text}") == f"OpenTofu's apply failed: {told}."


HOST = "HostID: T3Bl/bkNsYXc+Q2xhd2RpbmF0b3I="
GONE = f"{WRAPPED}, ResourceNotFoundException: Requested resource not found"
TYPED = {
    "a role that is there": (
        f"creating IAM Role (claw-host): operation error IAM: CreateRole, {WRAPPED}, "
        "EntityAlreadyExists: Role with name claw-host already exists.",
        "creating IAM Role (claw-host): EntityAlreadyExists: Role with name claw-host already "
        "exists"),
    "no bucket": (
        'Failed to get existing workspaces: Unable to list objects in S3 bucket "b": operation '
        f"error S3: ListObjectsV2, {WRAPPED}, {HOST}, NoSuchBucket: ",
        'Failed to get existing workspaces: Unable to list objects in S3 bucket "b": NoSuchBucket'),
    "a bucket that may not be read": (
        f"Error refreshing state: operation error S3: GetObject, {WRAPPED}, {HOST}, api error "
        "AccessDenied: Access Denied",
        "Error refreshing state: AccessDenied: Access Denied"),
    "no lock table": (
        "Error acquiring the state lock\n\nError message: 2 errors occurred:\n"
        f"\t* operation error DynamoDB: PutItem, {GONE}\n"
        f"\t* operation error DynamoDB: GetItem, {GONE}\n\n\n"
        "OpenTofu acquires a state lock to protect the state from being written\nby many.",
        "Error acquiring the state lock: ResourceNotFoundException: Requested resource not found"),
    "no lock table, of a wrapped line": (
        "Error acquiring the state lock\n\nError message: operation error DynamoDB: PutItem, "
        "https\nresponse error StatusCode: 400, RequestID: X,\nResourceNotFoundException: "
        "Requested\nresource not found",
        "Error acquiring the state lock: ResourceNotFoundException: Requested resource not found"),
    "a key that goes": (
        "Unable to fetch encryption key data\n\nkey_provider.aws_kms.state failed with error: "
        f"failed to get current key: operation error KMS: GenerateDataKey, {WRAPPED}, "
        "KMSInvalidStateException: arn:aws:kms:eu-central-1:123456789012:key/x is pending "
        "deletion.",
        "Unable to fetch encryption key data: KMSInvalidStateException: "
        "arn:aws:kms:eu-central-1:123456789012:key/x is pending deletion"),
    "no answer": (
        "Error refreshing state: operation error S3: HeadObject, exceeded maximum number of "
        "attempts, 3, https response error StatusCode: 0, RequestID: , HostID: , request send "
        "failed, dial tcp: no such host",
        "Error refreshing state: request send failed, dial tcp: no such host"),
}  # fmt: skip


@pytest.mark.parametrize("drawn", [str, framed])
@pytest.mark.parametrize(("said", "told"), TYPED.values(), ids=TYPED)
def test_an_error_that_the_sdk_has_a_type_for_is_told_by_its_code(
    drawn: Callable[[str], str], said: str, told: str
) -> None:
    text = drawn(f"Error: {said}\n{SNIPPET}\n")

    assert failure("plan", 1, text) == f"OpenTofu's plan failed: {told}."


def test_what_stands_below_the_headline_is_read_across_its_lines() -> None:
    said = (
        "\nError: Failed to list IAM roles\n\n  with data.x.y,\n\nListing took long: operation\n"
        "error IAM: ListRoles, https response error StatusCode: 403, RequestID: 1, api\n"
        "error AccessDenied: User may not\nlist roles\n\nAsk somebody.\n"
    )

    assert failure("plan", 1, said) == (
        "OpenTofu's plan failed: Failed to list IAM roles: AccessDenied: User may not list roles."
    )


def test_the_first_error_is_told_whatever_was_warned_of_before_or_follows() -> None:
    said = (
        "\nWarning: Deprecated\n\napi error Old: no\n\nError: First\n\nIts detail.\n"
        f"\nError: {RUN}Second: no\n"
    )

    assert failure("plan", 1, said) == "OpenTofu's plan failed: First."


def test_no_more_than_a_chat_has_room_for() -> None:
    told = failure("plan", 1, f"Error: {'word ' * 100}")

    assert 200 < len(told) <= 250
    assert told.endswith(" word….")


def test_a_digest_that_does_not_match_is_told_with_what_to_do() -> None:
    right = "0123456789abcdef0123456789abcdef"
    said = (
        "Error: Error refreshing state: state data in S3 does not have the expected content.\n\n"
        "This may be caused by unusually long delays in S3 processing a previous state\n"
        "update.  Please wait for a minute or two and try again. If this problem\n"
        "persists, and neither S3 nor DynamoDB are experiencing an outage, you may need\n"
        "to manually verify the remote state and update the Digest value stored in the\n"
        f"DynamoDB table to the following value: {right}\n"
    )

    for drawn in (str, framed):
        told = failure("plan", 1, drawn(said))
        assert f"(it should be {right})" in told
        assert "deploy again in two minutes" in told
        assert "`A digest that does not match`" in told
        assert len(told) < 300
