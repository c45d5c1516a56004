"""What is no longer as it should be: one thing that the fleet's channels are told of once."""

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from fleet_control.fault import SEVERITY, Problem, repair
from fleet_control.status import natural

_NAMED = 5
_OF_NO_HOST = (Problem.TOKEN_ENDED, Problem.TOKEN_ENDS, Problem.NO_IMAGE_BUILT)
# What it is, or was, in a few words that stay the same.
_BRIEFLY = {
    Problem.MISSING: "no host",
    Problem.NOT_HEALTHY: "not healthy",
    Problem.RETIRING: "to be ended by EC2",
    Problem.CRASH_LOOPING: "crash-looping",
    Problem.TWO_HOSTS: "two hosts of one name",
    Problem.NOT_DEPLOYED: "no host yet",
    Problem.UNREGISTERED: "not in the registry",
    Problem.NOT_AS_DEPLOYED: "not as deployed",
    Problem.TOKEN_ENDED: "GitHub's token at its end",
    Problem.TOKEN_ENDS: "GitHub's token near its end",
    Problem.NO_IMAGE_BUILT: "no image built for weeks",
}

_DEPLOY_ALL = "`/fleet deploy all` replaces every host, those that are well too."
_MENDS_MANY = {
    Problem.NOT_HEALTHY: f"Look at AWS's health page first. {_DEPLOY_ALL}",
    Problem.CRASH_LOOPING: f"`/fleet rollback all` goes back, {_DEPLOY_ALL}",
    Problem.UNREGISTERED: "`/fleet deploy all` removes those that a deploy made, and replaces all "
    "others.",
    Problem.TWO_HOSTS: repair(Problem.TWO_HOSTS),
}


class Finding(NamedTuple):
    """One thing that is wrong with the fleet.

    Attributes:
        of: the instance, or the machine, that it is wrong with; empty for the whole fleet.
        words: what is wrong, as it goes on after `of`.
        repair: what mends it, in a sentence; may hold `code` in backquotes.
    """

    of: str
    problem: Problem
    words: str
    repair: str = ""


def of_many(ill: Collection[Finding], many: int) -> Finding:
    """What instances have, as what the fleet has: the worst that more than so `many` have, or else
    what most have; and what is milder."""
    counts = Counter(sorted((one.problem for one in ill), key=lambda one: SEVERITY[one]))
    most_have = counts.most_common()[0][0]
    problem = next((one for one in counts if counts[one] > many), most_have)
    counts = Counter({one: counts[one] for one in counts if SEVERITY[one] >= SEVERITY[problem]})
    ill = [one for one in ill if one.problem in counts]
    each = ", ".join(f"{count} {_BRIEFLY[one]}" for one, count in counts.items())
    alike = counts[problem] == len(ill)
    has = _BRIEFLY[problem] if alike else each
    ids = sorted((one.of for one in ill), key=natural)
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    words = f"{len(ids)} instances: {has} ({', '.join(ids[:_NAMED])}{more})"
    if alike and problem in (Problem.MISSING, Problem.NOT_DEPLOYED):
        mends = f"`/fleet deploy {ids[0]}` creates it, and with it all that have none."
        return Finding("", problem, words, mends)
    return Finding("", problem, words, _MENDS_MANY.get(problem, _DEPLOY_ALL))


def in_few_words(of: str, problem: Problem) -> Finding:
    """What is known of it where it was not found just now; of none in particular, many have it."""
    if of or problem in _OF_NO_HOST:
        return Finding(of, problem, _BRIEFLY[problem], repair(problem, of))
    many = f"many instances: {_BRIEFLY[problem]}"
    return Finding("", problem, many, _MENDS_MANY.get(problem, _DEPLOY_ALL))
