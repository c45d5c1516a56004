"""What our moto process answers beside AWS's API; runs inside that process.

Seeding goes straight into moto's backends: over the wire, each launch of a host costs ten
milliseconds and a fleet of 500 with its users ten seconds. What is known is for the proxy.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.moto_retries import Wsgi
from sandbox.principal import ACCOUNT
from sandbox.tofu import mark

SEED = "/-/seed"
KNOWN = "/-/known/"


def with_doors(moto: Wsgi) -> Wsgi:
    """moto's application, and the doors beside it."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if path == SEED:
            sent = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            return _json(start_response, _seed(json.loads(sent)))
        if path.startswith(KNOWN):
            return _json(start_response, _known(*path.removeprefix(KNOWN).split("/", 2)))
        return moto(environ, start_response)

    return application


def _json(start_response: Any, answer: object) -> Iterable[bytes]:
    body = json.dumps(answer).encode()
    headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def _known(region: str, kind: str, name: str) -> bool:
    """Whether there is an ``instance`` or a ``document`` of this name."""
    from moto.ec2.models import ec2_backends  # noqa: PLC0415  (moto is imported when it is told)
    from moto.ssm.models import ssm_backends  # noqa: PLC0415  (as above)

    if kind == "document":
        return name in ssm_backends[ACCOUNT][region]._documents  # noqa: SLF001  (reading it the public way raises)
    return any(one.id == name for one in ec2_backends[ACCOUNT][region].all_instances())


def _seed(plan: Mapping[str, Any]) -> dict[str, Any]:
    region: str = plan["region"]
    for bucket in plan["buckets"]:
        _make_bucket(region, bucket)
    for name, key in plan["tables"].items():
        _make_table(region, name, key)
    for name, content in plan["documents"].items():
        _make_document(region, name, content)
    return {
        "hosts": [_launch(region, **host) for host in plan["hosts"]],
        "users": [_make_user(region, **user) for user in plan["users"]],
    }


def _launch(region: str, *, name: str, type: str, image: str, launched: float) -> str:  # noqa: A002  (a host's)
    from moto.ec2.models import ec2_backends  # noqa: PLC0415

    reservation = ec2_backends[ACCOUNT][region].run_instances(
        image,
        1,
        None,
        [],
        instance_type=type,
        is_instance_type_default=True,  # or each launch looks through the list of every type
        region_name=region,
        tags={"instance": {"app": "clawdinator", "Name": name, mark.KEY: mark.VALUE}},
    )
    host = reservation.instances[0]
    host.launch_time = datetime.fromtimestamp(launched, UTC).replace(tzinfo=None)
    return str(host.id)


def _make_user(region: str, *, name: str, path: str, policy: object) -> dict[str, str]:
    from moto.iam.models import iam_backends  # noqa: PLC0415

    iam = iam_backends[ACCOUNT]["aws"]
    user = iam.create_user(region, name, path=path)
    user.id = f"AIDA{user.id[:17].upper()}"  # as AWS's look
    iam.put_user_policy(name, "what-it-may", json.dumps(policy))
    key = iam.create_access_key(name)
    return {
        "arn": str(user.arn),
        "account_id": ACCOUNT,
        "user_id": str(user.id),
        "access_key": str(key.access_key_id),
        "secret_key": str(key.secret_access_key),
    }


def _make_bucket(region: str, name: str) -> None:
    from moto.s3.models import s3_backends  # noqa: PLC0415

    s3_backends[ACCOUNT]["aws"].create_bucket(name, region)


def _make_table(region: str, name: str, key: str) -> None:
    from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415

    dynamodb_backends[ACCOUNT][region].create_table(
        name,
        schema=[{"AttributeName": key, "KeyType": "HASH"}],
        attr=[{"AttributeName": key, "AttributeType": "S"}],
        billing_mode="PAY_PER_REQUEST",
        throughput=None,
        global_indexes=None,
        indexes=None,
        streams=None,
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=None,
        warm_throughput=None,
    )


def _make_document(region: str, name: str, content: object) -> None:
    from moto.ssm.models import ssm_backends  # noqa: PLC0415  (as above)

    ssm_backends[ACCOUNT][region].create_document(
        content=json.dumps(content),
        requires=[],
        attachments=[],
        name=name,
        version_name="",
        document_type="Command",
        document_format="JSON",
        target_type="/AWS::EC2::Instance",
        tags=[],
    )
