"""Where moto falls short of EC2, or of what the proxy before it needs; applied in its process."""

from typing import Any

# On a describe: answer as if no filter on states had been given. It is no part of what was
# signed, so a signature over the request as it came still holds.
ANY_STATE = "x-sandbox-any-state"
STATE_FILTERS = ("instance-state-name", "instance-state-code")


def apply() -> None:
    _ignore_states_when_told()
    _show_groups_of_the_first_interface()


def _ignore_states_when_told() -> None:
    from moto.ec2.responses._base_response import EC2BaseResponse  # noqa: PLC0415  (not before it is told its images)

    filters = EC2BaseResponse._filters_from_querystring  # noqa: SLF001  (moto has no public seam here)
    flag = EC2BaseResponse._get_bool_param  # noqa: SLF001  (the same)

    def any_filters(self: Any) -> dict[str, Any]:
        found: dict[str, Any] = filters(self)
        if ANY_STATE in self.headers:
            return {name: values for name, values in found.items() if name not in STATE_FILTERS}
        return found

    def any_flag(self: Any, name: str, if_none: Any = None) -> Any:
        if name == "IncludeAllInstances" and ANY_STATE in self.headers:
            return True
        return flag(self, name, if_none)

    EC2BaseResponse._filters_from_querystring = any_filters  # type: ignore[method-assign]  # noqa: SLF001  (both: the same)
    EC2BaseResponse._get_bool_param = any_flag  # type: ignore[method-assign,assignment]  # noqa: SLF001  (both: the same)


def _show_groups_of_the_first_interface() -> None:
    """A host launched with an interface of its own is in that one's security groups.

    moto leaves the host's list empty, and OpenTofu's next plan would then change every host.
    """
    from moto.ec2.models.instances import Instance  # noqa: PLC0415  (as above)

    attach = Instance.attach_eni

    def attach_with_groups(self: Any, eni: Any, device_index: int) -> str:
        attachment = attach(self, eni, device_index)
        if int(device_index) == 0 and not self.security_groups:
            self.security_groups = list(eni.group_set)
        return attachment

    Instance.attach_eni = attach_with_groups  # type: ignore[method-assign]  # moto has no seam here
