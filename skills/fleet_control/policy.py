"""Who may deploy what: one pure function of (caller, target, image_or_commit, facts).

It is asked three times, each time without trust in the time before: by the bot or the skill, by
the Lambda, and by the run itself. A depth that cannot see a fact leaves it out.

Standard library only: the Lambda carries this file.
"""

from collections.abc import Mapping
from difflib import get_close_matches

from fleet_control.caller import (
    ALL,
    BotInstance,
    Caller,
    Human,
    Unknown,
    is_operator,
    is_target,
)
from fleet_control.ledger import IMAGE, OVERRIDE
from fleet_control.line import code
from fleet_control.seed import is_revision
from fleet_control.verdict import (
    Allowed,
    BotDeploy,
    Condition,
    Facts,
    RefusalCode,
    Refused,
    Usage,
    Verdict,
)

__all__ = [
    "Allowed",
    "BotDeploy",
    "Condition",
    "Facts",
    "RefusalCode",
    "Refused",
    "Usage",
    "Verdict",
    "first_look",
    "judge",
    "may_operate",
    "refused_first",
]

MINUTES_BETWEEN_BOT_DEPLOYS = 60
FAILURES_BEFORE_A_PERSON = 2
# GitHub drops what comes to a queue of 100, a person's deploy too.
MOST_WAITING_FOR_A_BOT = 20
# A GitHub matrix holds 256 jobs; the rest is room for the run's own.
MOST_HOSTS_AT_ONCE = 250
_MAY_OVERRIDE = "A person who is an operator may override that."


def judge(
    caller: Caller, target: str, image_or_commit: str, facts: Facts, *, override: str = ""
) -> Verdict:
    """The policy table of the design, row by row; the first row that fits decides.

    `target` is what was typed (``""`` for nothing), `image_or_commit` what it is to become, ``""``
    for the newest; `override` is the ledger's.
    """
    return (
        _may_speak(caller, facts)
        or _target_exists(target, facts)
        or _spares_itself(caller, target)
        or _image_is_ours(image_or_commit, facts)
        or _fits_one_run(target, facts)
        or _is_not_frozen(caller, facts, override)
        or (
            _within_its_bounds(caller, target, image_or_commit, facts)
            if isinstance(caller, BotInstance)
            else Allowed(_worth_asking(target, facts))
        )
    )


def first_look(caller: Caller, target: str, image_or_commit: str, facts: Facts) -> Verdict:
    """The verdict where the caller can be asked back: a freeze that this one may override is worth
    a question."""
    verdict = judge(caller, target, image_or_commit, facts)
    through = judge(caller, target, image_or_commit, facts, override=OVERRIDE)
    if through == verdict or not (isinstance(through, Allowed) and facts.frozen):
        return verdict
    why = f"{facts.frozen.sentence} (`frozen`) A yes overrides that, for this once."
    return through._replace(confirm=f"{why} {through.confirm}".rstrip(), override=OVERRIDE)


def refused_first(caller: Caller, target: str, image_or_commit: str, facts: Facts) -> bool:
    """Whether it is refused whatever bots' deploys of the target came to, without asking for it."""
    verdict = judge(caller, target, image_or_commit, facts)
    return isinstance(verdict, Refused) and verdict.code is not RefusalCode.FLEET_UNWELL


def _may_speak(caller: Caller, facts: Facts, what: str = "deploy") -> Refused | None:
    if isinstance(caller, Unknown):
        return Refused(RefusalCode.UNKNOWN_CALLER, f"I don't take orders from {caller.reason}.")
    if isinstance(caller, Human) and not caller.operator:
        return Refused(
            RefusalCode.NOT_OPERATOR,
            f"Only operators may {what}. `/fleet status` is open to you."
            if facts.operators_set
            else "Nobody can deploy yet: no operators are configured. "
            "List their user ids in CLAWBOT_OPERATORS.",
        )
    return None


def may_operate(caller: Caller, *, operators_set: bool = True) -> Refused | None:
    """Why this caller may not do what is for operators alone, and no deploy; None where it may."""
    if isinstance(caller, BotInstance):
        return Refused(RefusalCode.NOT_OPERATOR, "Only a person who is an operator may do that.")
    return _may_speak(caller, Facts(operators_set=operators_set), "do that")


def _target_exists(target: str, facts: Facts) -> Refused | Usage | None:
    if not target:
        return Usage(facts.ids or ())
    if is_target(target) if facts.ids is None else target in (ALL, *facts.ids):
        return None
    near = get_close_matches(target[:64].lower(), (*(facts.ids or ()), ALL), n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    why = f"There is no instance {code(target)} in the registry.{hint}"
    return Refused(RefusalCode.UNKNOWN_TARGET, why)


def _spares_itself(caller: Caller, target: str) -> Refused | None:
    if not isinstance(caller, BotInstance) or target not in (ALL, caller.instance):
        return None
    why = (
        "`all`: it includes itself. Name one other instance"
        if target == ALL
        else "itself. A person or another bot instance can"
    )
    return Refused(RefusalCode.SELF_DEPLOY, f"{caller.instance} may not deploy {why}.")


def _image_is_ours(image_or_commit: str, facts: Facts) -> Refused | None:
    """Whether a commit is the branch's only the run can see."""
    if not image_or_commit or is_revision(image_or_commit):
        return None
    if not image_or_commit.startswith(IMAGE):
        return Refused(
            RefusalCode.UNKNOWN_IMAGE,
            f"{code(image_or_commit)} is neither an image ({IMAGE}…) nor a commit (its first "
            "seven digits or more). Leave it out for the newest.",
        )
    if facts.images is None or image_or_commit in facts.images:
        return None
    return Refused(
        RefusalCode.UNKNOWN_IMAGE,
        f"{code(image_or_commit)} is not an available image of ours tagged clawdinator=true. "
        "Leave the image out for the newest.",
    )


def _fits_one_run(target: str, facts: Facts) -> Refused | None:
    if facts.ids is None:
        return None
    how = (facts.conditions or {}).items()
    missing = (id_ for id_, condition in how if condition is Condition.MISSING)
    hosts = set(facts.ids) if target == ALL else {target, *missing}
    if len(hosts) <= MOST_HOSTS_AT_ONCE:
        return None
    return Refused(
        RefusalCode.TOO_MANY_HOSTS,
        f"This would move {len(hosts)} hosts; one run moves at most {MOST_HOSTS_AT_ONCE}. "
        "Deploy them one by one.",
    )


def _is_not_frozen(caller: Caller, facts: Facts, override: str) -> Refused | None:
    if facts.frozen is None or (override and is_operator(caller)):
        return None
    return Refused(RefusalCode.FROZEN, f"{facts.frozen.sentence} {_MAY_OVERRIDE}")


def _within_its_bounds(
    bot: BotInstance, target: str, image_or_commit: str, facts: Facts
) -> Verdict:
    """A target whose condition is not seen may have no host: what depends on that is left out."""
    conditions = facts.conditions or {}
    how = conditions.get(target)
    in_doubt = facts.asked_later and how is Condition.HEALTHY
    repairs = _only_repairs(target, image_or_commit, how)
    refused = (
        (None if in_doubt else repairs)
        or _waits_its_turn(bot, facts)
        or _leaves_it_to_a_person(target, facts)
    )
    if refused or how in (None, Condition.MISSING):
        return refused or Allowed()
    rests = _rests_between(target, how, facts)
    if rests or how is Condition.UNHEALTHY:
        return rests or Allowed()
    unwell = _others_are_well(bot, target, how, conditions)
    why_not = repairs or unwell
    if not (in_doubt and why_not):
        return unwell or Allowed()
    # Only EC2 calls it healthy. The words may be read when all is over.
    return Allowed(
        doubt=f"When asked, EC2 called {target} healthy. I can't see whether its services run: the "
        f"run asks the host, and refuses where that is well (`{why_not.code}`)."
    )


def _only_repairs(target: str, image_or_commit: str, how: Condition | None) -> Refused | None:
    if not image_or_commit or how not in (Condition.HEALTHY, Condition.STARTING):
        return None
    return Refused(
        RefusalCode.REPAIR_ONLY,
        f"{target} is {how}: a bot instance names an image or a commit only to repair. Leave it "
        "out for the newest; a person may name one.",
    )


def _waits_its_turn(bot: BotInstance, facts: Facts) -> Refused | None:
    if facts.unfinished:
        return Refused(
            RefusalCode.BUSY,
            # Words after the link, not a stop: a chat would take that for a part of it.
            f"{bot.instance} has a deploy that is not finished: {facts.unfinished} must end first.",
        )
    if facts.waiting >= MOST_WAITING_FOR_A_BOT:
        return Refused(
            RefusalCode.QUEUE_FULL,
            f"{facts.waiting} runs wait already. A bot instance may ask again when fewer than "
            f"{MOST_WAITING_FOR_A_BOT} do; a person may now.",
        )
    return None


def _leaves_it_to_a_person(target: str, facts: Facts) -> Refused | None:
    if facts.bot_failures >= FAILURES_BEFORE_A_PERSON:
        return Refused(
            RefusalCode.TOO_SOON,
            f"The last deploys of {target} by bot instances failed. A person has to deploy it "
            "before a bot instance may again.",
        )
    if facts.bot_deploys_unseen:
        return Refused(
            RefusalCode.TOO_SOON,
            "Too many runs of late did not succeed: I can't see so far back whether deploys of "
            f"{target} by bot instances failed, or anybody's succeeded since. A person has to "
            "deploy it, with success, before a bot instance may again.",
        )
    return None


def _rests_between(target: str, how: Condition, facts: Facts) -> Refused | None:
    last = facts.last_bot_deploy
    if last is None:
        return None
    minutes = (facts.now - last.ended) / 60
    if minutes >= MINUTES_BETWEEN_BOT_DEPLOYS:
        return None
    ago = f"{int(minutes)} min ago" if minutes >= 1 else "less than a minute ago"
    left = max(1, round(MINUTES_BETWEEN_BOT_DEPLOYS - minutes))
    return Refused(
        RefusalCode.TOO_SOON,
        f"{target} is {how} and {last.instance} deployed it {ago}. "
        f"A bot instance may again in {left} min; a person may now.",
    )


def _others_are_well(
    bot: BotInstance, target: str, how: Condition, conditions: Mapping[str, Condition]
) -> Refused | None:
    unwell = [
        f"{id_} is {condition}"
        for id_, condition in conditions.items()
        if id_ not in (bot.instance, target) and condition is not Condition.HEALTHY
    ]
    if not unwell:
        return None
    more = f" and {len(unwell) - 3} more" if len(unwell) > 3 else ""
    return Refused(
        RefusalCode.FLEET_UNWELL,
        f"{target} is {how} while {', '.join(unwell[:3])}{more}. One thing at a time: "
        "see to that first.",
    )


def _worth_asking(target: str, facts: Facts) -> str:
    if target == ALL:
        own = f", the one I run on ({facts.carrier}) last" if facts.carrier else ""
        return f"This replaces every host of the fleet, one after the other{own}."
    if facts.carrier and target == facts.carrier:
        return (
            f"This replaces the host I run on ({target}). I will go quiet; "
            "my successor finishes the reply."
        )
    return ""
