"""What only an operator at a desk can see of whether a deploy would work."""

from collections.abc import Callable, Iterable, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from clawbot.provision import bundle, bundle_object, secret_backup, secret_check
from clawbot.provision.bundle_object import S3Uri
from clawbot.provision.error import ProvisionError
from clawbot.provision.fleet_secret import Kind, invokers, secrets
from clawbot.provision.operator_context import OperatorContext
from fleet_control import aws_error
from fleet_control.daemon import in_daemon
from fleet_control.look import Look
from fleet_control.preflight import APPLY, Check, Point, ok, unseen, wrong
from fleet_control.seed import is_sum, key

# As tofu/control names them.
DOCUMENT, TABLE = "clawdinator-health", "clawdinator-control"
ROLES = frozenset({"clawdinator-control-api", "fleet-deploy", "image-build"})
_PATH = "/fleet/control/"
# So many of what is wrong are named.
_NAMED = 3

Found = Iterable[Check]


def looks(context: OperatorContext) -> tuple[Look, ...]:
    """Each in a thread of its own: what hangs keeps nobody waiting."""
    return tuple(
        _look(context, point, see)
        for point, see in (
            (Point.SECRETS, _secrets),
            (Point.BUNDLES, _bundles),
            (Point.TOKENS, _tokens),
            (Point.DOCUMENT, _document),
            (Point.TABLE, _table),
            (Point.ROLES, _roles),
        )
    )


def _look(context: OperatorContext, point: Point, see: Callable[[OperatorContext], Found]) -> Look:
    return Look((point,), lambda: in_daemon(_seen, point, lambda: see(context)))


def _seen(point: Point, see: Callable[[], Found]) -> Sequence[Check]:
    """What was seen, or why nothing could be: an operator's missing right is no fault of the
    fleet's."""
    try:
        return list(see())
    except ProvisionError as error:
        return [unseen(point, _some(error.problems), "Mend that, then look again.")]
    except (BotoCoreError, ClientError) as error:
        why = f"AWS does not show it to these credentials ({aws_error.name(error)})."
        return [unseen(point, aws_error.words(error, why), "Ask with others.")]


def _some(problems: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(problems) - _NAMED
    return " ".join([*problems[:_NAMED], *([f"And {more} more."] if more > 0 else [])])


def _secrets(context: OperatorContext) -> Found:
    registry, folder = context.registry, context.secrets
    faults = [one for id_ in registry for one in secret_check.lacking(registry, id_, folder)]
    if faults:
        advice = "`clawbot secrets check` names each with what mends it."
        yield wrong(Point.SECRETS, _some(faults), advice)
        return
    with context.s3() as s3:
        stale = secret_backup.difference(s3, context.bucket, folder).stale
    if stale:
        told = _some([f"{name}.age in S3 is stale." for name in stale])
        yield wrong(Point.SECRETS, told, "Type `clawbot secrets sync`.")
        return
    yield ok(Point.SECRETS, "`nix-secrets` has all of them, and S3 as well.")


def _bundles(context: OperatorContext) -> Found:
    registry, folder = context.registry, context.secrets
    if any(secret_check.faults(registry, id_, folder) for id_ in registry):
        return
    with context.s3() as s3:
        faults = [
            fault
            for id_ in registry
            for fault in bundle.faults(s3, context.bucket, bundle.build(registry, id_, folder))
        ]
    if faults:
        yield wrong(Point.BUNDLES, _some(faults), "Type `clawbot bundle upload all`.")
    else:
        yield ok(Point.BUNDLES, f"Each of {len(registry)} is as `nix-secrets` has it.")


def _tokens(context: OperatorContext) -> Found:
    registry, folder = context.registry, context.secrets
    shared = [one for id_ in registry for one in secret_check.borrowed(registry, id_, folder)]
    if shared:
        advice = "Take in a token of its own for each, then `clawbot bundle upload all`."
        yield wrong(Point.TOKENS, _some(shared), advice)
    else:
        count = sum(secret.kind is Kind.TOKEN for secret in secrets(registry))
        yield ok(Point.TOKENS, f"Each of {count} is of an account of its own.")


def _document(context: OperatorContext) -> Found:
    with context.ssm() as ssm:
        state: str
        try:
            state = ssm.describe_document(Name=DOCUMENT)["Document"]["Status"]
        except ssm.exceptions.InvalidDocument:
            state = "not there"
    yield _there(Point.DOCUMENT, f"The document `{DOCUMENT}`", state.lower())


def _table(context: OperatorContext) -> Found:
    with context.client("dynamodb") as dynamodb:
        try:
            state = dynamodb.describe_table(TableName=TABLE)["Table"]["TableStatus"]
        except dynamodb.exceptions.ResourceNotFoundException:
            state = "not there"
    yield _there(Point.TABLE, f"The table `{TABLE}`", state.lower())


def _there(point: Point, what: str, state: str) -> Check:
    if state == "active":
        return ok(point, f"{what} is there.")
    return wrong(point, f"{what} is {state}.", APPLY)


def _roles(context: OperatorContext) -> Found:
    with context.iam() as iam:
        roles = {
            role["RoleName"]
            for page in iam.get_paginator("list_roles").paginate(PathPrefix=_PATH)
            for role in page["Roles"]
        }
        users = {
            user["UserName"]
            for page in iam.get_paginator("list_users").paginate(PathPrefix="/fleet/")
            for user in page["Users"]
        }
    needed = [invoker.user for id_ in context.registry for invoker in invokers(id_)]
    missing = [f"There is no role `{name}`." for name in sorted(ROLES - roles)]
    missing += [f"There is no user `{name}`." for name in needed if name not in users]
    if missing:
        yield wrong(Point.ROLES, _some(missing), APPLY)
    else:
        yield ok(Point.ROLES, f"{len(ROLES)} roles and {len(needed)} users are there.")


def seed(context: OperatorContext, commit: str) -> Sequence[Check]:
    """Of the branch's newest revision, this commit."""
    return _seen(Point.SEED, lambda: [_seed(context, commit)])


def _seed(context: OperatorContext, commit: str) -> Check:
    uri = S3Uri(context.bucket, key(commit))
    with context.s3() as s3:
        there = bundle_object.head(s3, uri)
    if there is None:
        return ok(Point.SEED, f"The next deploy puts `{key(commit)}` there.")
    if is_sum(there.sha256) and is_sum(there.content_sha256):
        return ok(Point.SEED, f"`{key(commit)}` is there.")
    return wrong(
        Point.SEED,
        f"No run put `{key(commit)}` there, and no deploy writes over it.",
        "Find out who did, and delete it: the next deploy puts it anew.",
    )
