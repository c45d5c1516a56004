"""Rollback and resume: what is asked about them, and that a yes is to what was asked."""

import asyncio
from dataclasses import replace

import pytest

from clawbot import proposal, wording
from clawbot.ask import Ask
from clawbot.operations import CHANGED, UNDER_WAY
from clawbot.parsing import parse
from clawbot.proposal import Outlook, Proposal
from clawbot.replies import Deploying, Notice, Question, Reply
from clawbot.run_progress import progress
from fleet_control.caller import BotInstance, Human
from fleet_control.rollback import NoWayBack, WayBack
from tests.clawbot.bots import OPERATOR, VISITOR, KeptChat, ask, registry
from tests.clawbot.control_api import job, run
from tests.clawbot.rolls import LOCK, Moved, lock, roll, stopped
from tests.clawbot.talk import Talk, talk_with
from tests.clock import TurnedClock
from tests.discord.ec2 import NEWEST, NOW, OLDER, OLDEST, Claw
from tests.fleet_control.aws import FakeEc2

OTHER = Human("terminal:other", "other", operator=True)


async def answered(talk: Talk, words: str, by: Ask | None = None) -> tuple[Reply, KeptChat]:
    chat = KeptChat(talk.clock)
    return await talk.bot.commands.answer(by or ask(), parse(tuple(words.split())), chat.reply()), (
        chat
    )


async def asked(talk: Talk, words: str, by: Ask | None = None) -> tuple[Question, KeptChat]:
    question, chat = await answered(talk, words, by)
    assert isinstance(question, Question)
    return question, chat


async def refused(talk: Talk, words: str, by: Ask | None = None) -> Notice:
    notice, _ = await answered(talk, words, by)
    assert isinstance(notice, Notice)
    assert talk.api.count("deploy") == 0
    return notice


async def yes(talk: Talk, question: Question, chat: KeptChat, by: Ask | None = None) -> Reply:
    return await talk.bot.confirmation.answer(question, by or ask(), chat.reply("1"), yes=True)


def sent(talk: Talk) -> list[tuple[str, str, str, str]]:
    names = ("operation", "target", "ami_override", "override")
    deploys = [one for one in talk.api.asked if one["action"] == "deploy"]
    return [tuple(one.get(name, "") for name in names) for one in deploys]


async def test_a_rollback_names_image_and_revision_now_and_then_and_deploys_that(
    talk: Talk,
) -> None:
    talk.api.runs = [roll(1, Moved("claw-2", OLDEST, "3333333", OLDER)), roll(2, Moved("claw-2"))]
    made = {"commit": "1" * 40, "subject": "Hosts are rude.", "committed": "2026-09-11T00:00:00Z"}
    talk.api.revisions = [made]

    said = " ".join((await talk.say("/fleet rollback claw-2")).split())

    now, then = f"{NEWEST}, 2 days old, revision unknown", f"{OLDER}, 9 days old, revision 1111111"
    assert f"claw-2 {now} → {then}, 10 days old: Hosts are rude." in said
    assert sent(talk) == []
    assert "✓ roll back claw-2: done" in await talk.say("yes")
    assert sent(talk) == [("rollback", "claw-2", OLDER, "")]


async def test_the_way_back_is_looked_for_on_every_page_of_the_history(talk: Talk) -> None:
    others = [roll(id_, Moved("claw-1")) for id_ in range(2, 21)]
    talk.api.runs = [roll(1, Moved("claw-2", OLDEST)), *others]

    question, _ = await asked(talk, "rollback claw-2")

    assert [one.id for one in question.hosts] == ["claw-2"]
    assert question.hosts[0].then.startswith(f"{OLDEST}, 30 days old, revision 1111111")
    assert talk.api.count("history") == 3


async def test_all_go_back_each_to_its_own_in_the_order_of_a_roll(
    ec2: FakeEc2, clock: TurnedClock
) -> None:
    async with talk_with(clock, ec2, CLAWBOT_INSTANCE="claw-1", CLAWBOT_NAME="") as talk:
        talk.api.runs = [
            roll(1, Moved("claw-1", OLDEST), Moved("claw-2", OLDEST)),
            roll(2, Moved("claw-2", OLDER)),
        ]
        question, chat = await asked(talk, "rollback all")
        assert question.why == (
            "Each host goes back to what it ran before its own last successful deploy, one after "
            "the other. This replaces the host I run on (claw-1). I will go quiet; my successor "
            "finishes the reply."
        )
        assert [(one.id, one.then[:21]) for one in question.hosts] == [
            ("claw-2", OLDER),
            ("claw-1", OLDEST),
            ("claw-3", ""),
        ]
        assert "There is nothing to go back to: no deploy of claw-3" in question.hosts[2].note
        await yes(talk, question, chat)
        assert sent(talk) == [("rollback", "all", "", "")]


async def test_the_host_that_carries_the_bot_is_told_as_in_a_deploy(
    ec2: FakeEc2, clock: TurnedClock
) -> None:
    async with talk_with(clock, ec2, CLAWBOT_INSTANCE="claw-1", CLAWBOT_NAME="") as talk:
        for words, ledger in (
            ("rollback claw-1", [roll(1, Moved("claw-1"))]),
            ("resume 7", [stopped(7, "claw-3", "claw-1")]),
        ):
            talk.api.runs = ledger
            question, _ = await asked(talk, words)
            assert "This replaces the host I run on (claw-1)" in question.why


async def test_an_image_that_is_gone_is_named_and_so_is_what_takes_its_place(talk: Talk) -> None:
    talk.fleet(Claw("claw-1"), Claw("claw-2", NEWEST), Claw("claw-3"))
    talk.api.runs = [roll(1, Moved("claw-2", "ami-0dddddddddddddddd"))]

    notice = await refused(talk, "rollback claw-2")

    # None of these images says which commit it was built from.
    assert "ami-0dddddddddddddddd, which claw-2 ran, is not available any more" in notice.lines[0]


async def test_what_takes_the_place_of_a_lost_image_is_what_is_deployed(talk: Talk) -> None:
    status = await talk.bot.fleet.status()
    back = WayBack("claw-2", OLDER, "b" * 40, 5, gone="ami-0dddddddddddddddd")
    away = NoWayBack("claw-3", "It has none.")

    found = proposal.rollback("claw-2", [back], Outlook(status, [], NOW))
    of_all = proposal.rollback("all", [away, back], Outlook(status, [], NOW))

    assert isinstance(found, Proposal)
    assert isinstance(of_all, Proposal)
    (move,) = found.hosts
    assert move.then == f"{OLDER}, 9 days old, revision bbbbbbb"
    assert move.note == (
        "ami-0dddddddddddddddd, which it ran, is gone: this is the newest image that is older than "
        "its own."
    )
    assert move.brief == f"{NEWEST} @unknown → {OLDER} @bbbbbbb, another image"
    assert (found.image, of_all.image) == (OLDER, "")
    assert [(one.id, one.brief) for one in of_all.hosts] == [
        ("claw-2", move.brief),
        ("claw-3", "stays: It has none."),
    ]
    assert found.plan != of_all.plan
    assert len(found.plan) == 12


@pytest.mark.parametrize("target", ["claw-2", "all"])
async def test_that_a_host_is_not_any_more_what_its_last_deploy_made_of_it_is_told(
    talk: Talk, target: str
) -> None:
    talk.fleet(Claw("claw-1"), Claw("claw-2", NEWEST), Claw("claw-3"))
    good, ill = Moved("claw-2", OLDEST, new=OLDER), Moved("claw-2", OLDER, how="failure")
    talk.api.runs = [roll(1, good), roll(2, ill, conclusion="failure")]

    question, _ = await asked(talk, f"rollback {target}")

    move = next(one for one in question.hosts if one.id == "claw-2")
    assert move.then.startswith(OLDEST)
    assert move.note == (
        f"It is not what run 1 made of it any more, {OLDER} @2222222: this goes back beyond that."
    )
    assert "another image" not in move.brief


@pytest.mark.parametrize(
    ("runs", "goes_beyond"), [("2" * 40, False), ("3" * 40, True), ("", False)]
)
async def test_a_host_of_another_revision_is_not_what_its_deploy_made_of_it(
    talk: Talk, runs: str, *, goes_beyond: bool
) -> None:
    status = await talk.bot.fleet.status()
    rows = [replace(row, host=replace(row.host, revision=runs)) for row in status.rows if row.host]
    last = roll(5, Moved("claw-2", OLDEST))

    found = proposal.rollback(
        "claw-2",
        [WayBack("claw-2", OLDEST, "1111111", 5)],
        Outlook(replace(status, rows=tuple(rows)), [last], NOW),
    )

    assert isinstance(found, Proposal)
    assert bool(found.hosts[0].note) is goes_beyond


@pytest.mark.parametrize("target", ["claw-2", "all"])
async def test_where_there_is_nothing_to_go_back_to_it_says_what_to_do(
    talk: Talk, target: str
) -> None:
    notice = await refused(talk, f"rollback {target}")

    assert notice.code == "no_way_back"
    assert notice.lines[0].startswith("There is nothing to go back to: no deploy of claw-")
    named = target.replace("all", "<id>")
    assert notice.lines[1] == f"To deploy what you name: `/fleet deploy {named} <image or commit>`."


async def test_a_deploy_whose_jobs_can_t_be_seen_is_not_passed_over(talk: Talk) -> None:
    talk.api.runs = [roll(1, Moved("claw-2", OLDEST)), roll(2, Moved("claw-2"))]
    talk.api.unseen = {2}

    notice = await refused(talk, "rollback claw-2")

    assert notice.lines == ("I can't see what run 2 did. GitHub does not answer.",)


@pytest.mark.parametrize("words", ["rollback claw-2", "rollback all", "resume 7"])
async def test_what_changed_since_it_was_asked_about_is_not_done(talk: Talk, words: str) -> None:
    talk.api.runs = [roll(1, Moved("claw-2", OLDEST)), stopped(7, "claw-3", "claw-2")]
    question, chat = await asked(talk, words)
    talk.api.runs.append(roll(8, Moved("claw-2")))

    told = await yes(talk, question, chat)

    assert told == CHANGED == chat.messages["1"]
    assert CHANGED.lines == ("That changed since I asked, so I did nothing. Ask again.",)
    assert sent(talk) == []


@pytest.mark.parametrize(
    ("target", "may"),
    [("claw-3", True), ("all", True), ("7", True), ("claw-1", False), ("claw-9", False)],
)
@pytest.mark.parametrize("words", ["rollback claw-3", "resume 7"])
async def test_a_run_that_may_move_the_same_host_first_is_told_of(
    talk: Talk, words: str, target: str, *, may: bool
) -> None:
    operation = "resume" if target == "7" else ""
    at_work = run(9, "in_progress", target=target, operation=operation)
    of_others = roll(10, Moved("claw-1", how=None), conclusion="", target="all")
    not_over = of_others._replace(status="in_progress", conclusion=None)
    talk.api.runs = [roll(1, Moved("claw-3", OLDEST)), stopped(7, "claw-3"), at_work, not_over]
    if words == "resume 7" and target == "7":
        assert (await refused(talk, words)).code == "duplicate"
        return

    question, _ = await asked(talk, words)

    told = (
        "Run 9 is not over yet. If it moves such a host first, this stops before it changes "
        "anything."
    )
    assert (told in question.why) is may


async def test_a_resume_names_the_hosts_that_are_left_and_takes_up_the_run(talk: Talk) -> None:
    talk.api.runs = [stopped(7, "claw-3")]

    said = " ".join((await talk.say("/fleet resume 7")).split())

    assert "Run 7 left 1 host of its roll unreached." in said
    image = f"{NEWEST}, 2 days old, revision"
    assert f"claw-3 {image} unknown → {image} 2222222, 1 day old: Hosts greet." in said
    assert "claw-2" not in said
    assert "✓ resume run 7: done" in await talk.say("yes")
    assert sent(talk) == [("resume", "7", "", "")]


async def test_a_resume_of_all_says_what_it_removes_and_one_of_another_roll_removes_nothing(
    talk: Talk,
) -> None:
    talk.fleet(Claw("claw-1"), Claw("claw-2"), Claw("claw-3"), Claw("claw-old"))
    again = stopped(8, target="7", operation="resume")
    talk.api.runs = [stopped(7, "claw-3"), again._replace(jobs=again.jobs[-1:])]
    of_one = stopped(9, target="claw-1")
    back = stopped(10, operation="rollback")

    removed = []
    for runs in (talk.api.runs, [of_one], [back]):
        talk.api.runs = list(runs)
        question, _ = await asked(talk, f"resume {runs[-1].id}")
        removed.append(question.removed)

    assert removed == [("claw-old",), (), ()]


async def test_what_a_resume_took_up_is_looked_for_on_every_page_of_the_history(talk: Talk) -> None:
    talk.fleet(Claw("claw-1"), Claw("claw-2"), Claw("claw-3"), Claw("claw-old"))
    others = [roll(id_, Moved("claw-1"), target="claw-1") for id_ in range(8, 28)]
    again = stopped(28, target="7", operation="resume")
    talk.api.runs = [stopped(7, "claw-3"), *others, again._replace(jobs=again.jobs[-1:])]

    question, _ = await asked(talk, "resume 28")

    assert question.removed == ("claw-old",)


async def test_what_moved_since_or_left_the_registry_is_left_out_of_a_resume_by_name(
    talk: Talk,
) -> None:
    talk.api.runs = [stopped(7, "claw-1", "claw-3", "claw-9"), roll(8, Moved("claw-3"))]

    question, _ = await asked(talk, "resume 7")

    assert [(one.id, bool(one.then), one.note) for one in question.hosts] == [
        ("claw-1", True, ""),
        ("claw-3", False, "Run 8 moved claw-3 since."),
        ("claw-9", False, "It left the registry."),
    ]


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        ("resume 5", "Run 5 is not over yet.", "nothing_left"),
        ("resume 6", "Run 6 reached every host of its roll.", "nothing_left"),
        ("resume 7", "What run 7 did not reach has left the registry: claw-9.", "nothing_left"),
        ("resume 8", "Run 8 is taken up already, by run 9.", "duplicate"),
        ("resume 99", "There is no deploy with the run id 99.", "unknown_run"),
        (
            "resume 4",
            "The image ami-0ddd of run 4 is not available any more; deploy again.",
            "unknown_image",
        ),
        ("rollback claw-4", "There is no instance `claw-4` in the registry.", "unknown_target"),
    ],
)
async def test_what_can_t_be_taken_up_or_taken_back_is_refused(
    talk: Talk, words: str, told: str, code: str
) -> None:
    talk.api.runs = [
        roll(4, Moved("claw-3", new="ami-0ddd", how=None), conclusion="failure"),
        run(5),
        roll(6, Moved("claw-2")),
        stopped(7, "claw-9"),
        stopped(8, "claw-3"),
        run(9, "queued", target="8", operation="resume"),
    ]

    notice = await refused(talk, words)

    assert notice.lines[0].startswith(told)
    assert notice.code == code


async def test_of_a_run_that_is_too_old_nobody_knows_what_moved_since(talk: Talk) -> None:
    talk.api.runs = [stopped(7), *(roll(id_, Moved("claw-1")) for id_ in range(8, 112))]

    notice = await refused(talk, "resume 7")

    assert notice.lines[0] == (
        "Run 7 is not among the newest that I can see, so I can't tell what moved since."
    )


async def test_one_that_two_people_say_yes_to_is_one_deploy(talk: Talk) -> None:
    talk.api.runs, talk.api.ends = [stopped()], ""
    mine, chat = await asked(talk, "resume 7")
    by = replace(ask(OTHER, asked="2"))
    theirs, other_chat = await asked(talk, "resume 7", by)
    talk.api.unlisted = {2}
    following = asyncio.create_task(yes(talk, mine, chat))
    await chat.until(Deploying)

    told = await yes(talk, theirs, other_chat, by)

    assert told == UNDER_WAY == other_chat.messages["1"]
    assert UNDER_WAY.lines == ("That is under way already; another reply tells how it goes.",)
    assert len(sent(talk)) == 1
    following.cancel()
    await asyncio.wait([following])


async def test_one_that_came_to_nothing_can_be_asked_for_again(talk: Talk) -> None:
    talk.api.runs = [stopped()]
    talk.api.refused["deploy"] = 403, {"ok": False, "code": "queue_full", "error": "Full."}
    for number in ("1", "2"):
        question, chat = await asked(talk, "resume 7", ask(asked=number))
        told = await yes(talk, question, chat)
        assert isinstance(told, Notice)
        assert told.code == "queue_full"


async def test_where_nothing_is_named_it_says_how_to(talk: Talk) -> None:
    of_rollback, of_resume = await refused(talk, "rollback"), await refused(talk, "resume")

    ids = ("claw-1", "claw-2", "claw-3")
    assert of_rollback == Notice(
        (
            "Say which: `/fleet rollback <target>`.",
            "Targets: `all`, `claw-1`, `claw-2`, `claw-3`.",
        ),
        ids=ids,
        ids_of="rollback",
    )
    assert of_resume.lines == (
        "Say which: `/fleet resume <run>`.",
        "The run's id is in the link of its reply, and in `/fleet history`.",
    )


@pytest.mark.parametrize("words", ["rollback claw-2", "resume 7", "unlock"])
@pytest.mark.parametrize("caller", [VISITOR, BotInstance("claw-1")])
async def test_only_a_person_who_is_an_operator_may(
    talk: Talk, words: str, caller: Human | BotInstance
) -> None:
    talk.api.runs = [roll(1, Moved("claw-2", OLDEST)), stopped(7)]

    notice = await refused(talk, words, ask(caller))

    assert notice.code == "not_operator"
    assert talk.api.count("history") + talk.api.count("holds") == 0


@pytest.mark.parametrize("words", ["rollback claw-2", "resume 7"])
async def test_whoever_is_no_operator_any_more_begins_nothing_by_a_yes(
    talk: Talk, words: str
) -> None:
    talk.api.runs = [roll(1, Moved("claw-2", OLDEST)), stopped(7)]
    question, chat = await asked(talk, words)
    was = replace(ask(), caller=OPERATOR._replace(operator=False))

    told = await yes(talk, question, chat, was)

    assert isinstance(told, Notice)
    assert told.code == "not_operator"
    assert sent(talk) == []


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("rollback claw-2", "Nothing was deployed: `claw-2` was left as it is."),
        ("resume 7", "Nothing was deployed: what run `7` left stays as it is."),
    ],
)
async def test_a_no_leaves_everything_and_says_so(talk: Talk, words: str, left: str) -> None:
    talk.api.runs = [roll(1, Moved("claw-2", OLDEST)), stopped(7)]
    question, chat = await asked(talk, words)

    told = await talk.bot.confirmation.answer(question, ask(), chat.reply("1"), yes=False)

    assert told == Notice((left,))
    assert sent(talk) == []


async def test_an_instance_that_left_the_registry_meanwhile_is_not_rolled_back(talk: Talk) -> None:
    talk.api.runs = [roll(1, Moved("claw-2", OLDEST))]
    question, chat = await asked(talk, "rollback claw-2")
    talk.api.registry = registry("claw-1", "claw-3")
    await talk.clock.turn(61)

    told = await yes(talk, question, chat)

    assert isinstance(told, Notice)
    assert told.code == "unknown_target"


async def test_the_audit_trail_has_the_question_and_the_answer(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    talk.api.runs = [roll(1, Moved("claw-2", OLDEST))]
    await talk.say("/fleet rollback claw-2", "yes")

    lines = caplog.text
    assert "what=rollback claw-2" in lines
    assert "what=yes to rollback claw-2" in lines
    assert f"fleet.dispatched operation=rollback target=claw-2 image_or_commit={OLDEST}" in lines


FROZEN = {"by": "terminal:sam sam", "reason": "An audit", "since": 1_789_990_000}


@pytest.mark.parametrize("words", ["rollback claw-2", "rollback all", "resume 7"])
async def test_while_the_fleet_is_frozen_a_yes_overrides_that_and_says_so(
    talk: Talk, words: str
) -> None:
    talk.api.runs = [roll(1, Moved("claw-2", OLDEST)), stopped(7)]
    talk.api.freeze = {**FROZEN, "until": 1_790_010_000}

    question, chat = await asked(talk, words)
    ended = await yes(talk, question, chat)

    assert "frozen by sam in the terminal until 2026-09-21 17:00 UTC: An audit." in question.why
    assert "A yes overrides that, for this once." in question.why
    assert isinstance(ended, Deploying)
    assert [one[3] for one in sent(talk)] == ["freeze"]


@pytest.mark.parametrize("words", ["rollback claw-2", "resume 7"])
async def test_a_freeze_that_came_after_the_question_is_overridden_by_no_yes_to_it(
    talk: Talk, words: str
) -> None:
    talk.api.runs = [roll(1, Moved("claw-2", OLDEST)), stopped(7)]
    question, chat = await asked(talk, words)
    talk.api.freeze = {**FROZEN, "until": 1_790_010_000}

    told = await yes(talk, question, chat)

    assert isinstance(told, Notice)
    assert told.code == "frozen"
    assert sent(talk) == []


async def test_an_unlock_says_who_holds_it_and_what_it_risks_and_breaks_that_lock(
    talk: Talk,
) -> None:
    talk.api.lock = lock()
    talk.api.freeze = {**FROZEN, "until": 1_790_010_000}  # which lets it pass

    said = " ".join((await talk.say("/fleet unlock")).split())

    assert "sam@desk holds the lock on the state since 2026-09-21 11:26 UTC." in said
    assert "No job of a deploy is known to have taken it, so no deploy breaks it by itself." in said
    assert (
        "What took it may still be applying: then what it writes to the state may be lost" in said
    )
    assert "✓ unlock the state: unlocked after" in await talk.say("yes")
    assert sent(talk) == [("unlock", LOCK, "", "")]


@pytest.mark.parametrize(
    ("breakable", "told"),
    [
        (1_790_000_041.0, "A deploy breaks it by itself from 2026-09-21 14:15 UTC on."),
        (1_790_000_000.0, "The next deploy breaks it by itself."),
    ],
)
@pytest.mark.parametrize("over", ["run", "job", "forgotten"])
async def test_an_unlock_says_whose_job_it_was_and_when_a_deploy_breaks_it(
    talk: Talk, breakable: float, told: str, over: str
) -> None:
    (plan, *_) = stopped().jobs
    status = "completed" if over == "run" else "in_progress"
    talk.api.runs = [run(7, status, jobs=(plan,))] if over != "forgotten" else []
    talk.api.lock = lock(run=7, job="plan", breakable=breakable, created=None)

    question, _ = await asked(talk, "unlock")

    holder = "`sam@desk` holds the lock on the state, for the job `plan` of run 7."
    assert question.why.startswith(f"{holder} {told} What took it")


async def test_a_lock_whose_job_is_at_work_is_not_broken(talk: Talk) -> None:
    (plan, *_) = stopped().jobs
    talk.api.runs = [run(7, jobs=(plan, job("claw-1", None, "in_progress")))]
    talk.api.lock = lock(run=7, job="claw-1", breakable=1_790_000_000.0)

    notice = await refused(talk, "unlock")

    assert notice.code == "at_work"
    assert notice.lines == (
        "Run 7 holds the lock on the state and is at work: its end gives it back. `/fleet stop` "
        "ends it after the host that it is at.",
    )


async def test_where_there_is_no_lock_nothing_is_asked(talk: Talk) -> None:
    notice = await refused(talk, "unlock")

    assert notice == Notice(("The state is not locked: there is nothing to unlock.",))


@pytest.mark.parametrize("why", ["no sight", "older API", "another form"])
async def test_where_the_lock_can_t_be_seen_it_says_what_to_do_at_a_desk(
    talk: Talk, why: str
) -> None:
    talk.api.sees_lock = why != "no sight"
    if why == "older API":
        talk.api.refused["holds"] = 400, {"ok": False, "code": "bad_request", "error": "What?"}
    if why == "another form":
        talk.api.lock = lock(id="a lock")

    notice = await refused(talk, "unlock")

    assert notice.code == "lock_unseen"
    assert notice.lines[0].endswith("At a desk: `A stuck lock` in docs/runbook.md.")


async def test_another_lock_than_the_one_that_was_asked_about_stays(talk: Talk) -> None:
    talk.api.lock = lock()
    question, chat = await asked(talk, "unlock")
    talk.api.lock = lock(id="0" * 36)
    assert await yes(talk, question, chat) == CHANGED

    question, chat = await asked(talk, "unlock", ask(asked="2"))
    talk.api.lock = None
    told = await yes(talk, question, chat, ask(asked="2"))
    assert told == Notice(("The state is not locked: there is nothing to unlock.",))
    assert sent(talk) == []


async def test_a_no_to_an_unlock_leaves_the_lock(talk: Talk) -> None:
    talk.api.lock = lock()

    said = await talk.say("/fleet unlock", "no")

    assert f"Nothing was done: the lock {LOCK} stays." in said


async def test_an_unlock_that_runs_says_that_and_names_no_host(talk: Talk) -> None:
    known = {"operation": "unlock", "target": LOCK}
    said = [
        wording.stage(progress(run(1, *how, **known))) for how in (("in_progress",), ("queued",))
    ]

    assert said == ["unlocking", "queued"]
