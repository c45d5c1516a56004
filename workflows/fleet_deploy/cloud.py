"""AWS's clients of a run, and the fleet as EC2 shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fleet_control import ec2
from fleet_control.host import Reading
from fleet_control.registry_source import KnownRegistry
from fleet_control.status import FleetStatus, InstanceStatus, shape
from workflows.fleet_deploy.expectation import AwsAccount
from workflows.fleet_deploy.guard import Machines
from workflows.fleet_deploy.health import Time
from workflows.fleet_deploy.roll import rows
from workflows.fleet_deploy.runner import needed
from workflows.fleet_deploy.stopped import Stopped

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_ssm import SSMClient

_CONFIG = Config(
    connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 5}
)
_NONE: Mapping[str, str] = {}
# What it tells is worth no long wait.
_SHORT = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})


@dataclass(frozen=True, slots=True)
class FleetView:
    """The fleet as one reading of EC2 shows it.

    Attributes:
        there: the registry's instances by id.
        unlisted: machines that are there and that EC2 does not list.
        unsure: machines that were known, and that EC2 neither shows nor says to be gone.
    """

    status: FleetStatus
    there: Mapping[str, InstanceStatus]
    machines: Machines
    unlisted: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()

    @property
    def staying(self) -> frozenset[str]:
        """The machines that are there and not on their way out."""
        return frozenset(host.id for row in self.status.rows for host in row.staying)

    @property
    def images(self) -> frozenset[str]:
        """The ids of the available images that are ours and tagged."""
        return frozenset(image.id for image in self.status.images)


@dataclass(frozen=True, slots=True)
class Cloud:
    ec2: "EC2Client"
    ssm: "SSMClient"
    s3: "S3Client"
    sts: Any  # boto3's Security Token Service, which has no types here
    quotas: Any  # boto3's Service Quotas, which has no types here
    clock: Time

    def look(self, registry: KnownRegistry, machines: Mapping[str, str]) -> FleetView:
        """The fleet now; Ec2Error if it can't be seen.

        `machines` are there as far as is known, each with its instance: those that EC2 does not
        list are asked for by their ids.
        """
        return seen(registry, ec2.read(self.ec2, self.clock.now(), machines), machines)

    def owner(self) -> AwsAccount:
        """Whose the keys are that this job has; Stopped if AWS does not say."""
        try:
            # arn:partition:service:region:account:resource
            _, partition, _, _, account, _ = self.sts.get_caller_identity()["Arn"].split(":", 5)
        except (ClientError, BotoCoreError, KeyError, ValueError) as error:
            why = f"AWS does not say whose keys this job has ({type(error).__name__})."
            raise Stopped("AWS is silent", why) from error
        return AwsAccount(partition, account)


def seen(registry: KnownRegistry, reading: Reading, known: Mapping[str, str] = _NONE) -> FleetView:
    """The view that a reading makes; what is not known to be gone counts as there."""
    status = shape(registry, reading)
    unsure = {known[machine] for machine in reading.unsure}
    return FleetView(
        status,
        rows(status),
        Machines(
            owners={host.id: host.name for host in reading.hosts},
            live=frozenset(row.id for row in status.rows if row.host) | unsure,
        ),
        reading.unlisted,
        reading.unsure,
    )


def connect(environ: Mapping[str, str], clock: Time) -> Cloud:
    """Clients with the job's role, which `configure-aws-credentials` put in the environment."""
    key, secret, region = needed(
        environ, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"
    )
    session = boto3.Session(
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=environ.get("AWS_SESSION_TOKEN"),
        region_name=region,
    )
    endpoint = environ.get("AWS_ENDPOINT_URL")
    return Cloud(
        session.client("ec2", endpoint_url=endpoint, config=_CONFIG),
        session.client("ssm", endpoint_url=endpoint, config=_CONFIG),
        session.client("s3", endpoint_url=endpoint, config=_CONFIG),
        session.client("sts", endpoint_url=endpoint, config=_CONFIG),
        session.client("service-quotas", endpoint_url=endpoint, config=_SHORT),
        clock,
    )
