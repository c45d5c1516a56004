"""What a host said of itself, noted as a tag of its machine, where every status shows it."""

import logging
from typing import TYPE_CHECKING

from fleet_control import own_answer
from fleet_control.error import Ec2Error
from fleet_control.machine import ec2_errors
from fleet_control.own_answer import HostAnswer

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

log = logging.getLogger(__name__)


def note(ec2: "EC2Client", machine: str, answer: HostAnswer) -> str:
    """Why it could not be noted, or nothing. No deploy fails by that."""
    tag = {"Key": own_answer.TAG, "Value": own_answer.write(answer)}
    try:
        with ec2_errors("CreateTags"):
            ec2.create_tags(Resources=[machine], Tags=[tag])  # type: ignore[list-item]  # its shape
    except Ec2Error as error:
        log.warning("fleet.not_noted machine=%s why=%s", machine, error)
        return f"What {machine} said of itself could not be noted for the status: {error}"
    return ""
