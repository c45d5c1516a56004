"""What one call of the Control API shows: that it answers, to whom, and what it sees itself."""

from collections.abc import Iterator

from fleet_control import skew
from fleet_control.control_api import ControlApi
from fleet_control.duration import short
from fleet_control.error import AwsRefused, ControlApiError, ControlApiRefused
from fleet_control.look import Look
from fleet_control.preflight import APPLY, Check, Point, ok, unseen, wrong

# Clocks that differ by less are not worth a word.
_CLOSE_SECONDS = 60.0
_SPEAKS = {"chat": "the bot", "agent": "the agent of", "operator": "the operator"}
_OF_SIGNERS = ("forged_caller", "unknown_caller", "unproven_caller")
_ITS_OWN = (
    *(Point.GITHUB, Point.GITHUB_TOKEN, Point.QUOTA, Point.WORKFLOW, Point.DISPATCH),
    *(Point.FREEZE, Point.LOCK, Point.HOST_FILES, Point.TABLE),
)
_OURS = (Point.API, Point.TOKEN, Point.SIGNATURE, Point.CLOCK)
_AGAIN = "Look again in a minute."
_URL = (
    "Its URL is what `tofu -chdir=tofu/control output control_api_url` says; a host has it in "
    "`/etc/clawdinator/control-api-url`. Where the URL is right, its log in CloudWatch says more."
)
_KEY = (
    "Where AWS does not know the key, give the host or the bot the one that `nix-secrets` has "
    "(`clawbot bundle upload`, then `clawdinator-refresh-secrets` there), or make another with "
    "`clawbot secrets rotate`; else the URL is of no function."
)
_TAKE = (
    "Take the token that `nix-secrets` has (`clawbot bundle upload`, then "
    "`clawdinator-refresh-secrets` on the host); `clawbot secrets sync` brings it to the Control "
    "API."
)


def api_look(api: ControlApi, speaks_as: str) -> Look:
    """`speaks_as` is who we should be to it, or empty where that is not known."""

    async def see() -> Iterator[Check]:
        try:
            signer, checks = await api.preflight()
        except ControlApiError as error:
            return without(error, api.ahead)
        told = (*_answered(api.ahead), _signature(signer, speaks_as))
        return iter((*told, *map(_untold, _ITS_OWN), *checks))

    return Look((*_OURS, *_ITS_OWN), see, blamed=Point.API, advice=_URL)


def _untold(point: Point) -> Check:
    return unseen(point, "The Control API does not tell of this.", APPLY)


def _answered(ahead: float) -> Iterator[Check]:
    yield ok(Point.API, "It answers.")
    yield ok(Point.TOKEN, "It takes ours.")
    yield _clock(ahead)


def _clock(ahead: float) -> Check:
    if abs(ahead) >= skew.SKEWED_SECONDS:
        told, _, advice = skew.sentence(ahead).partition(". ")
        return wrong(Point.CLOCK, f"{told}.", advice)
    if abs(ahead) < _CLOSE_SECONDS:
        return ok(Point.CLOCK, "It agrees with AWS's clock.")
    way = "ahead of" if ahead > 0 else "behind"
    most = short(skew.SKEWED_SECONDS)
    told = f"It is {short(abs(ahead))} {way} AWS's clock, which refuses us from {most} on."
    return ok(Point.CLOCK, told)


def _signature(signer: str, speaks_as: str) -> Check:
    role, _, name = signer.partition(":")
    if role == "unproven":
        told = "The Control API can't see who signs, and takes every caller at its word."
        return ok(Point.SIGNATURE, told)
    who = f"{_SPEAKS.get(role, 'an unknown')} `{name}`"
    if speaks_as and signer != speaks_as:
        told = f"By its key this program is {who}, and it should be `{speaks_as}`."
        return wrong(Point.SIGNATURE, told, f"Give it the key of its own. {_KEY}")
    return ok(Point.SIGNATURE, f"By its key this program is {who}.")


def without(error: ControlApiError, ahead: float) -> Iterator[Check]:
    """What its no shows, or that it is away."""
    match error:
        case AwsRefused(of_time=True):
            yield ok(Point.API, "AWS answers at its URL.")
            yield wrong(Point.CLOCK, str(error), _SET_CLOCK)
        case AwsRefused(status=403):
            yield ok(Point.API, "AWS answers at its URL.")
            yield wrong(Point.SIGNATURE, str(error), _KEY)
        case ControlApiRefused():
            yield from _refused(error, ahead)
        case _ if skew.by_certificate(error.__cause__ or error):
            yield wrong(Point.CLOCK, str(error), _SET_CLOCK)
        case AwsRefused():
            yield wrong(Point.API, str(error), _AGAIN)
        case _:
            yield wrong(Point.API, str(error), _URL)


_SET_CLOCK = "Set this machine's clock, then look again."


def _refused(error: ControlApiRefused, ahead: float) -> Iterator[Check]:
    """A request with a wrong token is refused before its signer is looked at."""
    taken = tuple(_answered(ahead))
    match error.code:
        case "unauthorized":
            api, _, clock = taken
            yield from (api, clock, wrong(Point.TOKEN, str(error), _TAKE))
        case code if code in _OF_SIGNERS:
            yield from (*taken, wrong(Point.SIGNATURE, str(error), _KEY))
        case "bad_request":
            yield from (*taken, ok(Point.SIGNATURE, "The Control API takes it."))
            for point in _ITS_OWN:
                yield unseen(point, "The Control API is older than this.", APPLY)
        case "github_busy":
            yield from (*taken, ok(Point.SIGNATURE, "The Control API takes it."))
            for point in _ITS_OWN:
                yield unseen(point, str(error), _AGAIN)
        case _:
            advice = f"{APPLY} The function's log in CloudWatch says more."
            yield wrong(Point.API, str(error), advice)
