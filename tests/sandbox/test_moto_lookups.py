"""What moto's process keeps of its lookups changes no answer."""

import pytest
from moto import backends
from moto.core import serialize
from moto.core.responses import ActionContext, ActionResult, BaseResponse
from moto.core.utils import get_service_model

from sandbox import moto_lookups


class Instance:
    """A machine as moto has them: some fields by their own names, some by shorter ones."""

    id = "i-1"
    image_id = "ami-1"
    tags = ({"Key": "Name", "Value": "sam & <co>"},)
    state = {"Code": 16, "Name": "running"}  # noqa: RUF012  (nobody changes it)


class Responses(BaseResponse):
    RESPONSE_KEY_PATH_TO_TRANSFORMER = {  # noqa: RUF012  (moto's way)
        "Instances.Instance.State": lambda _: {"Code": 0, "Name": "pending"}
    }


def answered(instance: object) -> str:
    model = get_service_model("ec2")
    operation = model.operation_model("DescribeInstances")
    context = ActionContext(model, operation, serialize.EC2Serializer, Responses("ec2"))
    fleet = {"Reservations": [{"Instances": [instance, {"InstanceId": "i-2", "State": {}}]}]}
    return str(ActionResult(fleet).execute_result(context)[2])


def test_an_answer_is_what_it_is_without(monkeypatch: pytest.MonkeyPatch) -> None:
    without, services = answered(Instance()), list(backends.list_of_moto_modules())
    for owner, name, own in moto_lookups.kept():
        monkeypatch.setattr(owner, name, own)

    assert [answered(Instance()) for _ in range(2)] == [without, without]
    assert [list(backends.list_of_moto_modules()) for _ in range(2)] == [services, services]
    assert "<instanceId>i-1</instanceId>" in without
    assert without.count("<name>pending</name>") == 2
    assert "sam &amp; &lt;co&gt;" in without
