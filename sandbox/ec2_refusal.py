"""Launches that EC2 refuses and moto would not, in moto's process.

It may also show no host at all while all of them run, as EC2 can.
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2 import urls
from moto.ec2.exceptions import EC2ClientError, InvalidAMIIdError, UnvailableAMIIdError
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES
from moto.ec2.responses import EC2Response
from moto.servicequotas import urls as quota_urls
from moto.servicequotas.models import ServiceQuotasBackend, servicequotas_backends

from sandbox.host_lifecycle import PENDING, RUNNING, HostInstance

_QUOTA = "L-1216C47A"


class CheckedResponses(EC2Response):
    """moto's answers, after the checks of EC2. A dry run is refused as the launch would be, but for
    the quota, which says what is free now and not what a launch will find."""

    def run_instances(self) -> ActionResult:
        image = self._image(self._get_param("ImageId"))
        type_ = self._get_param("InstanceType", "m1.small")
        self._must_be_offered(type_)
        _must_match(image, type_)
        self._must_fit_the_disk(image)
        if not self._get_param("DryRun", False):
            self._must_be_left(type_)
        return super().run_instances()

    def describe_instances(self) -> ActionResult:
        return (
            ActionResult({"Reservations": []}) if self._sees_none else super().describe_instances()
        )

    def describe_instance_status(self) -> ActionResult:
        if self._sees_none:
            return ActionResult({"InstanceStatuses": []})
        return super().describe_instance_status()

    @property
    def _sees_none(self) -> bool:
        return bool({"*", self.get_access_key()} & {*HostInstance.rules.blind})

    def _image(self, id_: str) -> Any:
        if id_ in self.ec2_backend.deleted_amis:
            raise UnvailableAMIIdError(id_)
        if id_ not in self.ec2_backend.amis:
            raise InvalidAMIIdError(id_)
        return self.ec2_backend.amis[id_]

    def _must_be_offered(self, type_: str) -> None:
        if type_ not in INSTANCE_TYPES:
            raise EC2ClientError(
                "InvalidParameterValue", f"Invalid value '{type_}' for InstanceType."
            )
        subnet = self._get_param("SubnetId")
        if not subnet:
            return
        zone = self.ec2_backend.get_subnet(subnet).availability_zone
        offered = INSTANCE_TYPE_OFFERINGS["availability-zone"][self.region]
        if not any(one["Location"] == zone and one["InstanceType"] == type_ for one in offered):
            raise EC2ClientError(
                "Unsupported",
                f"Your requested instance type ({type_}) is not supported in your requested "
                f"Availability Zone ({zone}).",
            )

    def _must_fit_the_disk(self, image: Any) -> None:
        for mapping in self._get_param("BlockDeviceMappings", []):
            size = mapping.get("Ebs", {}).get("VolumeSize")
            least = image.ebs_snapshot.volume.size
            if mapping["DeviceName"] == image.root_device_name and size and int(size) < least:
                raise EC2ClientError(
                    "InvalidBlockDeviceMapping",
                    f"Volume of size {size}GB is smaller than snapshot '{image.ebs_snapshot.id}', "
                    f"expect size>= {least}GB",
                )

    def _must_be_left(self, type_: str) -> None:
        there = self.ec2_backend.all_instances()
        counted = [one.instance_type for one in there if one.state in (PENDING, RUNNING)]
        if sum(map(_vcpus, (*counted, type_))) > HostInstance.rules.vcpus:
            raise EC2ClientError(
                "VcpuLimitExceeded",
                "You have requested more vCPU capacity than your current vCPU limit of "
                f"{HostInstance.rules.vcpus} allows for the instance bucket that the specified "
                "instance type belongs to.",
            )


def _must_match(image: Any, type_: str) -> None:
    runs = INSTANCE_TYPES[type_]["ProcessorInfo"]["SupportedArchitectures"]
    if image.architecture not in runs:
        raise EC2ClientError(
            "InvalidParameterValue",
            f"The architecture '{', '.join(runs)}' of the specified instance type does not match "
            f"the architecture '{image.architecture}' of the specified AMI.",
        )


def _vcpus(type_: str) -> int:
    return int(INSTANCE_TYPES[type_]["VCpuInfo"]["DefaultVCpus"])


class Quotas(ServiceQuotasBackend):
    """moto's quotas, and that of running vCPUs."""

    _url_module = quota_urls

    def get_service_quota(self, service_code: str, quota_code: str) -> dict[str, Any]:
        if (service_code, quota_code) == ("ec2", _QUOTA):
            return {"QuotaCode": _QUOTA, "Value": float(HostInstance.rules.vcpus)}
        return super().get_service_quota(service_code, quota_code)


def take_place() -> None:
    """Put these classes in the place of moto's, as `host_lifecycle` does."""
    urls.url_paths["{0}/"] = CheckedResponses.dispatch
    servicequotas_backends.backend = Quotas
