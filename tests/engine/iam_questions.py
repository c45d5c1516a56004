"""What matters to ask of each principal, in words and as AWS's requests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from fleet_control import seed
from sandbox.principal import ACCOUNT, REGION
from sandbox.seed import (
    BOOTSTRAP_BUCKET,
    CONTROL_TABLE,
    IMAGE_BUCKET,
    LOCK_TABLE,
    STATE_BUCKET,
)
from tests.engine.evaluator import Context, IamRequest
from tests.engine.site import ONE, TWO

_EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
# Images and snapshots have no account in their names.
_NOBODYS = f"arn:aws:ec2:{REGION}:"
_FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:clawdinator-control-api"
_LOG = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/clawdinator-control-api:*"
_HOST = f"{_EC2}:instance/i-0123456789abcdef0"
_OURS = {"aws:ResourceTag/app": "clawdinator"}
_OTHERS = {"aws:ResourceTag/app": "payroll"}
_LOCKS = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{LOCK_TABLE}"
_LEASES = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{CONTROL_TABLE}"
_HERE = {"aws:RequestedRegion": REGION}
_BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/fleet/control/clawdinator-host"
_HOST_ROLE = f"arn:aws:iam::{ACCOUNT}:role/fleet/host/{TWO}/{TWO}-host"
DEPLOY_ROLE = f"arn:aws:iam::{ACCOUNT}:role/fleet/control/fleet-deploy"
IMAGE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/fleet/control/image-build"
_LAMBDA_ROLE = f"arn:aws:iam::{ACCOUNT}:role/fleet/control/clawdinator-control-api"
_IMPORT_ROLE = f"arn:aws:iam::{ACCOUNT}:role/vmimport"
_CHAT_USER = f"arn:aws:iam::{ACCOUNT}:user/fleet/chat/{TWO}/{TWO}-chat"
_SEED = seed.key("0" * 40)

Question = tuple[str, Sequence[IamRequest]]


def _url(direct: bool) -> IamRequest:
    via = {} if direct else {"lambda:InvokedViaFunctionUrl": "true"}
    return IamRequest("lambda:InvokeFunction", _FUNCTION, via)


def _object(bucket: str, key: str, action: str = "GetObject") -> IamRequest:
    return IamRequest(f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}")


def _listing(prefix: str) -> IamRequest:
    return IamRequest("s3:ListBucket", f"arn:aws:s3:::{BOOTSTRAP_BUCKET}", {"s3:prefix": prefix})


def _parameter(name: str, action: str = "GetParameter") -> IamRequest:
    return IamRequest(f"ssm:{action}", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{name}")


def _describe(what: str) -> IamRequest:
    return IamRequest(f"ec2:{what}", "*", _HERE)


def _quota(action: str) -> IamRequest:
    return IamRequest(f"servicequotas:{action}", "*", _HERE)


def _launch(interface: str = "*", **others: Mapping[str, str]) -> list[IamRequest]:
    """Of a host as a deploy launches it; `others` have another context, by type, or are beside.

    What is made with it has no id yet, and EC2 names it ``*``.
    """
    names = {"instance": "*", "volume": "*", "network-interface": interface}
    contexts: dict[str, Mapping[str, str]] = {
        "instance": {"aws:RequestTag/app": "clawdinator"},
        "image": {"ec2:Owner": ACCOUNT, "aws:ResourceTag/clawdinator": "true"},
        "subnet": _OURS,
        "security-group": _OURS,
        "volume": {},
        "network-interface": {},
    }
    contexts |= {type_.replace("_", "-"): context for type_, context in others.items()}
    places = dict.fromkeys(("image", "snapshot"), _NOBODYS)
    return [
        IamRequest(
            "ec2:RunInstances",
            f"{places.get(type_, _EC2)}:{type_}/{names.get(type_, 'one')}",
            {**context, **_HERE},
        )
        for type_, context in contexts.items()
    ]


def _command(document: str, **tags: str) -> list[IamRequest]:
    return [
        IamRequest("ssm:SendCommand", f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/{document}"),
        IamRequest(
            "ssm:SendCommand", _HOST, {f"ssm:resourceTag/{key}": one for key, one in tags.items()}
        ),
    ]


def _role(action: str, role: str, **context: str) -> IamRequest:
    return IamRequest(f"iam:{action}", role, {f"iam:{key}": one for key, one in context.items()})


def questions(keys: Mapping[str, IamRequest]) -> list[Question]:
    """Each is one thing to do, which takes all of its requests; `keys` name the states' by root."""
    by_url = IamRequest(
        "lambda:InvokeFunctionUrl", _FUNCTION, {"lambda:FunctionUrlAuthType": "AWS_IAM"}
    )
    return [
        ("invoke the Control API by its URL", [by_url, _url(direct=False)]),
        ("invoke it directly, writing the event", [_url(direct=True)]),
        ("read the function", [IamRequest("lambda:GetFunction", _FUNCTION)]),
        ("change the function's code", [IamRequest("lambda:UpdateFunctionCode", _FUNCTION)]),
        ("change its settings", [IamRequest("lambda:UpdateFunctionConfiguration", _FUNCTION)]),
        ("open it to others", [IamRequest("lambda:AddPermission", _FUNCTION)]),
        ("read its log", [IamRequest("logs:FilterLogEvents", _LOG)]),
        ("read the control token", [_parameter("clawdinator/control-token")]),
        ("read GitHub's token", [_parameter("clawdinator/github-token")]),
        ("write the control token", [_parameter("clawdinator/control-token", "PutParameter")]),
        ("read any other parameter", [_parameter("somebody/else")]),
        ("read its own bundle", [_object(BOOTSTRAP_BUCKET, f"bootstrap/{TWO}/bundle.tar")]),
        ("read a neighbour's bundle", [_object(BOOTSTRAP_BUCKET, f"bootstrap/{ONE}/bundle.tar")]),
        ("list its own prefix", [_listing(f"bootstrap/{TWO}/")]),
        ("list a neighbour's prefix", [_listing(f"bootstrap/{ONE}/")]),
        ("write its own bundle", [_object(BOOTSTRAP_BUCKET, f"bootstrap/{TWO}/b", "PutObject")]),
        ("read the encrypted secrets", [_object(BOOTSTRAP_BUCKET, "age-secrets/x.age")]),
        ("read a seed", [_object(BOOTSTRAP_BUCKET, _SEED)]),
        ("put a seed where none lies", [_put(_SEED, **{"s3:if-none-match": "*"})]),
        ("put one over another", [_put(_SEED)]),
        ("put anything else there", [_put("bootstrap/x", **{"s3:if-none-match": "*"})]),
        ("read a bundle's manifest", [_object(BOOTSTRAP_BUCKET, f"bootstrap/{ONE}/manifest.json")]),
        ("list the seeds", [_listing("seeds/")]),
        ("delete a seed", [_object(BOOTSTRAP_BUCKET, _SEED, "DeleteObject")]),
        *_states(keys),
        *_hosts(),
        *_images(),
        *_identities(),
    ]


def _put(key: str, **context: str) -> IamRequest:
    return IamRequest("s3:PutObject", f"arn:aws:s3:::{BOOTSTRAP_BUCKET}/{key}", context)


def _states(keys: Mapping[str, IamRequest]) -> Iterator[Question]:
    for root in ("fleet", "control"):
        name = f"{root}.tfstate"
        decrypt = replace(keys[root], action="kms:Decrypt")
        yield f"fetch the state of tofu/{root}", [_object(STATE_BUCKET, name)]
        yield f"decrypt the state of tofu/{root}", [decrypt]
        yield f"write the state of tofu/{root}", [_object(STATE_BUCKET, name, "PutObject")]
        lock = f"{STATE_BUCKET}/{name}"
        yield f"take the lock of tofu/{root}", [_item("PutItem", lock)]
        yield f"see who holds the lock of tofu/{root}", [_item("GetItem", lock)]
        yield f"break the lock of tofu/{root}", [_item("DeleteItem", lock)]
        yield f"read the digest of tofu/{root}'s state", [_item("GetItem", f"{lock}-md5")]
        yield f"write the digest of tofu/{root}'s state", [_item("PutItem", f"{lock}-md5")]
    both = [f"{STATE_BUCKET}/{root}.tfstate" for root in ("fleet", "control")]
    yield "take both locks at once", [_item("PutItem", *both)]
    yield "ask the table for no lock in particular", [_item("GetItem")]
    yield "remove the lock table", [IamRequest("dynamodb:DeleteTable", _LOCKS)]
    for action, what in (
        ("GetItem", "look into the control table"),
        ("PutItem", "take a bot's lease there"),
        ("UpdateItem", "count a bot's reads there"),
        ("DeleteItem", "remove what stands there"),
        ("Scan", "list all of it"),
        ("DeleteTable", "remove the control table"),
    ):
        yield what, [IamRequest(f"dynamodb:{action}", _LEASES)]

    for action, doing in (("GetItem", "read"), ("PutItem", "write")):
        for key, what in (
            ("freeze", "a freeze"),
            ("stop#17", "that a run is to stop"),
            ("lock#runner@runnervm1", "what a job noted of its lock"),
            (f"lease#{TWO}", "a bot's lease"),
        ):
            yield f"{doing} {what}", [_row(action, key)]
    yield (
        "write a freeze beside what a job noted",
        [_row("PutItem", "freeze", "lock#runner@runnervm1")],
    )
    yield "remove what a job noted", [_row("DeleteItem", "lock#runner@runnervm1")]


def _row(action: str, *keys: str) -> IamRequest:
    return IamRequest(f"dynamodb:{action}", _LEASES, {"dynamodb:LeadingKeys": list(keys)})


def _item(action: str, *keys: str) -> IamRequest:
    return IamRequest(
        f"dynamodb:{action}", _LOCKS, {"dynamodb:LeadingKeys": list(keys)} if keys else {}
    )


def _hosts() -> Iterator[Question]:
    yield "see hosts", [_describe("DescribeInstances")]
    yield "see hosts' status checks", [_describe("DescribeInstanceStatus")]
    yield "see images", [_describe("DescribeImages")]
    yield "see what a type of machine is", [_describe("DescribeInstanceTypes")]
    yield "see which types a zone offers", [_describe("DescribeInstanceTypeOfferings")]
    yield "see how many vCPUs may run", [_quota("GetServiceQuota")]
    yield "ask for more of them", [_quota("RequestServiceQuotaIncrease")]
    yield from _launches()
    yield "terminate a host of the fleet", [IamRequest("ec2:TerminateInstances", _HOST, _OURS)]
    yield "terminate any other machine", [IamRequest("ec2:TerminateInstances", _HOST)]
    yield "stop a host of the fleet", [IamRequest("ec2:StopInstances", _HOST, _OURS)]
    yield "start one", [IamRequest("ec2:StartInstances", _HOST, _OURS)]
    yield "change its user data", [IamRequest("ec2:ModifyInstanceAttribute", _HOST, _OURS)]
    yield "open its metadata", [IamRequest("ec2:ModifyInstanceMetadataOptions", _HOST, _OURS)]
    profile = "ReplaceIamInstanceProfileAssociation"
    yield "give it another role while it runs", [IamRequest(f"ec2:{profile}", _HOST, _OURS)]
    attribute = "ec2:DescribeInstanceAttribute"
    yield "read the user data of a host of the fleet", [IamRequest(attribute, _HOST, _OURS)]
    yield "read that of any other machine", [IamRequest(attribute, _HOST, _OTHERS)]
    console = "ec2:GetConsoleOutput"
    yield "read the console of a host of the fleet", [IamRequest(console, _HOST, _OURS)]
    yield "read the console of any other machine", [IamRequest(console, _HOST, _OTHERS)]
    made = {"ec2:CreateAction": "RunInstances", "aws:RequestTag/app": "clawdinator"}
    yield "tag what it launches", [IamRequest("ec2:CreateTags", _HOST, made)]
    tag = {"aws:RequestTag/app": "clawdinator"}
    yield "tag any other machine as the fleet's", [IamRequest("ec2:CreateTags", _HOST, tag)]
    said = {"aws:RequestTag/answer": "well 2026-11-27T05:10:00Z", "aws:TagKeys": ["answer"]}
    more = said | {"aws:TagKeys": ["answer", "app"]}
    yield "note what a host said of itself", [IamRequest("ec2:CreateTags", _HOST, said | _OURS)]
    yield "note it on any other machine", [IamRequest("ec2:CreateTags", _HOST, said | _OTHERS)]
    yield "tag a host otherwise with it", [IamRequest("ec2:CreateTags", _HOST, more | _OURS)]
    route = f"{_EC2}:route-table/rtb-0123456789abcdef0"
    yield "change the fleet's network", [IamRequest("ec2:CreateRoute", route, _OURS)]
    yield "change any other network", [IamRequest("ec2:CreateRoute", route)]
    yield from _networks()
    ask, shell = "clawdinator-health", "AWS-RunShellScript"
    yield "ask a host how it is", _command(ask, app="clawdinator")
    yield "ask any other machine", _command(ask)
    yield "run a shell on a host", _command(shell, app="clawdinator")


def _networks() -> Iterator[Question]:
    made = {"aws:RequestTag/app": "clawdinator"}
    for type_, action in (("vpc", "CreateVpc"), ("internet-gateway", "CreateInternetGateway")):
        for what, tags in (("the fleet's", made), ("nobody's", {})):
            name = type_.replace("-", " ").replace("vpc", "VPC")
            yield f"make {what} {name}", [IamRequest(f"ec2:{action}", f"{_EC2}:{type_}/*", tags)]
    parts = {
        "subnet": "CreateSubnet",
        "route-table": "CreateRouteTable",
        "security-group": "CreateSecurityGroup",
    }
    for type_, action in parts.items():
        name = type_.replace("-", " ")
        for what, tags, vpc in (
            (f"a {name} in the fleet's VPC", made, _OURS),
            (f"a {name} in any other VPC", made, _OTHERS),
            (f"nobody's {name} in the fleet's VPC", {}, _OURS),
        ):
            yield (
                f"make {what}",
                [
                    IamRequest(f"ec2:{action}", f"{_EC2}:{type_}/*", tags),
                    IamRequest(f"ec2:{action}", f"{_EC2}:vpc/vpc-0123456789abcdef0", vpc),
                ],
            )


def _launches() -> Iterator[Question]:
    shared = {"ec2:Owner": "999999999999", "aws:ResourceTag/clawdinator": "true"}
    yield "launch a host of the fleet", _launch()
    yield "launch any other machine", _launch(instance={})
    yield "launch a host from an image that another account shares", _launch(image=shared)
    yield "from one that no build has published", _launch(image={"ec2:Owner": ACCOUNT})
    yield "in another subnet", _launch(subnet=_OTHERS)
    yield "in another security group", _launch(security_group=_OTHERS)
    yield "on an interface that exists", _launch("eni-0123456789abcdef0")
    yield "even on one of the fleet's", _launch("eni-0123456789abcdef0", network_interface=_OURS)
    yield "with a key pair", _launch(key_pair={})
    yield "with the disk of a snapshot", _launch(snapshot={"ec2:Owner": ACCOUNT})
    yield "with a launch template", _launch(launch_template=_OURS)


def _images() -> Iterator[Question]:
    image = f"arn:aws:ec2:{REGION}::image/ami-0123456789abcdef0"
    snapshot = f"arn:aws:ec2:{REGION}::snapshot/snap-0123456789abcdef0"
    made = {"aws:ResourceTag/clawdinator-commit": "0123456789ab"}
    mark = {
        "aws:RequestTag/clawdinator-commit": "0123456789ab",
        "aws:TagKeys": ["clawdinator-commit"],
    }
    public = {"aws:RequestTag/clawdinator": "true", "aws:TagKeys": ["clawdinator"]}
    disk = "image-build/disk.vhd"
    yield "upload a disk", [_object(IMAGE_BUCKET, disk, "PutObject")]
    yield "fetch that disk", [_object(IMAGE_BUCKET, disk)]
    task = f"{_EC2}:import-snapshot-task/import-snap-0123456789abcdef0"
    yield (
        "import it as a snapshot",
        [
            IamRequest("ec2:ImportSnapshot", task),
            IamRequest("ec2:ImportSnapshot", snapshot),
        ],
    )
    yield "give VM Import its role", [_role("PassRole", _IMPORT_ROLE)]
    yield "give VM Import another role", [_role("PassRole", _LAMBDA_ROLE)]
    mark_ours = mark | {"ec2:Owner": ACCOUNT}
    yield "say that a snapshot is a build's", [IamRequest("ec2:CreateTags", snapshot, mark_ours)]
    yield (
        "say it of any other that says not whose it is, then delete it",
        [
            IamRequest("ec2:CreateTags", snapshot, mark_ours),
            IamRequest("ec2:DeleteSnapshot", snapshot, made),
        ],
    )
    yield (
        "or make an image of it",
        [
            IamRequest("ec2:CreateTags", snapshot, mark_ours),
            *_registered(image, snapshot, mark, made),
        ],
    )
    named = {"an `app`": _OTHERS, "a `Name`": {"aws:ResourceTag/Name": "payroll"}}
    for what, tags in named.items():
        yield (
            f"say it of one that has {what}",
            [IamRequest("ec2:CreateTags", snapshot, mark_ours | tags)],
        )
    yield (
        "say it of one that another account shares",
        [IamRequest("ec2:CreateTags", snapshot, mark | {"ec2:Owner": "999999999999"})],
    )
    yield (
        "tag a snapshot otherwise",
        [
            IamRequest(
                "ec2:CreateTags",
                snapshot,
                mark_ours | {"aws:TagKeys": ["clawdinator-commit", "Name"]},
            )
        ],
    )
    yield "make an image of a build's snapshot", _registered(image, snapshot, mark, made)
    yield "make one of any other snapshot", _registered(image, snapshot, mark, {})
    yield "make one that says no commit", _registered(image, snapshot, {}, made)
    yield "publish an image that a build made", [IamRequest("ec2:CreateTags", image, made | public)]
    yield "publish any other image", [IamRequest("ec2:CreateTags", image, public)]
    yield "say that any image is a build's", [IamRequest("ec2:CreateTags", image, mark)]
    for tags, whose in ((made, "that a build made"), ({}, "of somebody else")):
        yield f"remove an image {whose}", [IamRequest("ec2:DeregisterImage", image, tags)]
        yield f"delete a snapshot {whose}", [IamRequest("ec2:DeleteSnapshot", snapshot, tags)]


def _registered(
    image: str, snapshot: str, mark: Mapping[str, Context], made: Mapping[str, Context]
) -> list[IamRequest]:
    born = {**mark, "ec2:CreateAction": "RegisterImage"}
    return [
        IamRequest("ec2:RegisterImage", image, mark),
        IamRequest("ec2:RegisterImage", snapshot, made),
        IamRequest("ec2:CreateTags", image, born),
    ]


def _identities() -> Iterator[Question]:
    bounded = {"PermissionsBoundary": _BOUNDARY}
    yield "make a host's role, within its boundary", [_role("CreateRole", _HOST_ROLE, **bounded)]
    yield "make a host's role without one", [_role("CreateRole", _HOST_ROLE)]
    yield "write a policy for a role without one", [_role("PutRolePolicy", _HOST_ROLE)]
    yield "change whom a role trusts", [_role("UpdateAssumeRolePolicy", DEPLOY_ROLE)]
    yield "write the deploy role's policy", [_role("PutRolePolicy", DEPLOY_ROLE, **bounded)]
    to_ec2 = {"PassedToService": "ec2.amazonaws.com"}
    yield "give a host its role", [_role("PassRole", _HOST_ROLE, **to_ec2)]
    yield "give a host the deploy role", [_role("PassRole", DEPLOY_ROLE, **to_ec2)]
    yield "give a host the Lambda's role", [_role("PassRole", _LAMBDA_ROLE, **to_ec2)]
    yield "make a key for the chat user", [IamRequest("iam:CreateAccessKey", _CHAT_USER)]
    yield "write a user's policy", [IamRequest("iam:PutUserPolicy", _CHAT_USER)]
    yield "change the boundary", [IamRequest("iam:CreatePolicyVersion", _BOUNDARY)]
