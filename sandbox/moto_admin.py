"""Routes of our moto process beside AWS's API, to seed it and to rule its hosts.

Seeding goes straight into moto's backends: over the wire, each launch of a host costs ten
milliseconds and a fleet of 500 with its users ten seconds.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.logs.models import LogGroup, LogsBackend, logs_backends
from moto.s3.models import s3_backends
from moto.ssm.models import ssm_backends
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Request, Response

from sandbox.host_boot import BootResult
from sandbox.host_lifecycle import HostInstance
from sandbox.host_rules import Rules, Timing
from sandbox.moto_retries import Wsgi
from sandbox.principal import ACCOUNT
from sandbox.tofu import state

# One process of the function's.
_STREAM = "sandbox"


def with_admin_routes(moto: Wsgi) -> Wsgi:
    """moto's application, and the routes of the sandbox beside it."""
    return DispatcherMiddleware(
        moto, {f"/-/{name}": _route(work) for name, work in _ROUTES.items()}
    )


def _route(work: Callable[[Any], object]) -> Wsgi:
    @Request.application
    def answer(request: Request) -> Response:
        return Response(json.dumps(work(request.json)), content_type="application/json")

    return answer


def _rule(said: Mapping[str, Any]) -> None:
    HostInstance.rules = Rules(**{**said, "timing": Timing(**said["timing"])})


def _reboot(asked: Mapping[str, str]) -> dict[str, str]:
    """Reboot the host of that name; returns what it runs then, nothing where there is none."""
    running: list[Any] = ec2_backends[ACCOUNT][asked["region"]].all_running_instances()
    named = (host for host in running if _name(host) == asked["name"])
    if host := next(named, None):
        host.reboot()
        return _said(host)
    return {}


def _hosts(region: str) -> dict[str, dict[str, str]]:
    """What each running host runs, by its name."""
    running: list[Any] = ec2_backends[ACCOUNT][region].all_running_instances()
    return {_name(host): _said(host) for host in running}


def _name(host: Any) -> str:
    return next((tag["value"] for tag in host.get_tags() if tag["key"] == "Name"), "")


def _said(host: Any) -> dict[str, str]:
    return {"machine": host.id, **asdict(host.booted)}


def _seed(plan: Mapping[str, Any]) -> dict[str, Any]:
    region: str = plan["region"]
    for bucket in plan["buckets"]:
        _make_bucket(region, bucket)
    for name, key in plan["tables"].items():
        _make_table(region, name, key)
    for name, content in plan["documents"].items():
        _make_document(region, name, content)
    hosts = [_launch(region, **host) for host in plan["hosts"]]
    machines = {host["name"]: id_ for host, id_ in zip(plan["hosts"], hosts, strict=True)}
    text = state.written(machines).encode()
    s3_backends[ACCOUNT]["aws"].put_object(plan["state_bucket"], state.STATE_KEY, text)
    return {
        "hosts": hosts,
        "users": [_make_user(region, **user) for user in plan["users"]],
    }


def _launch(
    region: str,
    *,
    name: str,
    type: str,  # noqa: A002  (a host's)
    image: str,
    revision: str,
    launched: float,
) -> str:
    tags = {"app": "clawdinator", "Name": name, "revision": revision}
    reservation = ec2_backends[ACCOUNT][region].run_instances(
        image,
        1,
        None,
        [],
        instance_type=type,
        is_instance_type_default=True,  # or each launch looks through the list of every type
        region_name=region,
        tags={"instance": {name: value for name, value in tags.items() if value}},
    )
    host: Any = reservation.instances[0]
    host.launched_at(launched)
    host.booted = BootResult(revision)
    return str(host.id)


def _make_user(region: str, *, name: str, path: str, policy: object) -> dict[str, str]:
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
    s3_backends[ACCOUNT]["aws"].create_bucket(name, region)


def _make_table(region: str, name: str, key: str) -> None:
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


def _log(said: Mapping[str, Any]) -> None:
    """Put lines into a group, past the age that CloudWatch takes them at."""
    backend = logs_backends[ACCOUNT][said["region"]]
    group = _group(backend, said["group"])
    if _STREAM not in group.streams:
        group.create_log_stream(_STREAM)
    group.put_log_events(_STREAM, said["events"])


def _group(backend: LogsBackend, name: str) -> LogGroup:
    """The group of that name, which an engine may have made."""
    if name not in backend.groups:
        backend.create_log_group(name, tags={})
    return backend.groups[name]


_ROUTES: Mapping[str, Callable[[Any], object]] = {
    "seed": _seed,
    "rules": _rule,
    "hosts": _hosts,
    "reboot": _reboot,
    "log": _log,
}
