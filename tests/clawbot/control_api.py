"""A Control API on loopback that says what a test tells it: the JSON of the contract, no rules."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from aiohttp import web

from fleet_control.control_api import ControlApi
from fleet_control.ledger import Job, Run, Step
from fleet_control.run_title import TITLE_FIELDS
from sandbox.loopback import listen, url_of
from tests.clock import TurnedClock

# How many runs a page of the history has.
PAGE = 8
CREATED = "2026-11-24T10:00:00Z"


def run(id_: int, status: str = "in_progress", conclusion: str | None = None, **more: Any) -> Run:
    known = {
        "target": "claw-2",
        "ami_override": "",
        "caller": "",
        "requested_by": "terminal:operator operator",
        "request_id": f"terminal.demo.1.{id_}",
        "reply": "77",
        "created": CREATED,
        "started": CREATED,
        "updated": "2026-11-24T10:03:05Z",
        "url": f"https://github.example/runs/{id_}",
    }
    return Run(id=id_, status=status, conclusion=conclusion, **(known | more))


def job(name: str, conclusion: str | None = "success", status: str = "completed") -> Job:
    steps = (Step("Replace", status, conclusion),) if status != "queued" else ()
    return Job(name, status, conclusion, CREATED, None, steps)


@dataclass
class Api:
    """Attributes:
    asked: every call's body, in order.
    runs: what `run` and `runs` answer from.
    next: an answer to give once instead, as (status, body).
    refused: the same by action, as often as it is asked for.
    adds: what the answer to a deploy says beside.
    ends: what each deploy has ended as by the time anybody looks, or nothing for one that waits.
    unlisted: ids of runs that `runs` does not show yet.
    unseen: ids of runs whose jobs `history` can't have.
    told: the end that each asker was told of last, by the ask's request id.
    life: of every reply.
    younger: whether a younger process of the asker's bot has all that.
    announced: of every deploy, beside that the lease is the asker's.
    checks: what a preflight sees.
    signer: who signs what it is asked.
    followed: the request ids that calls beside a deploy came with.
    freeze: the one that holds the fleet.
    lock: the one on the state, where it can be seen.
    off: by how many seconds its own clock is ahead.
    """

    asked: list[dict[str, Any]] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    next: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    refused: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    registry: str = "{}"
    revisions: list[dict[str, str]] = field(default_factory=list)
    adds: dict[str, Any] = field(default_factory=dict)
    ends: str = ""
    unlisted: set[int] = field(default_factory=set)
    unseen: set[int] = field(default_factory=set)
    told: dict[str, str] = field(default_factory=dict)
    life: dict[str, Any] = field(default_factory=lambda: {"lives": True})
    younger: bool = False
    announced: dict[str, Any] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    signer: str = "chat:demo"
    freeze: dict[str, Any] | None = None
    lock: dict[str, Any] | None = None
    sees_lock: bool = True
    off: float = 0.0
    now: Callable[[], float] = time.time
    url: str = ""
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def answer(self, request: web.Request) -> web.Response:
        ask = json.loads(await request.read())
        async with self.arrived:
            self.asked.append(ask)
            if request_id := request.headers.get("x-clawdinator-request-id"):
                self.followed.append(request_id)
            self.arrived.notify_all()
        # What holds the fleet and what was before is asked for beside, too; what is said next is
        # said to who acts.
        beside = ask["action"] in ("holds", "history")
        is_next = self.next and not beside
        no = self.next.pop(0) if is_next else self.refused.get(ask["action"])
        if ask["action"] == "run" and not any(one.id == ask["run_id"] for one in self.runs):
            no = 404, _no("unknown_run", f"There is no deploy with the run id {ask['run_id']}.")
        if no is not None:
            status, body = no
            return web.json_response(body, status=status, headers=self._dated)
        return web.json_response({"ok": True, **self._answer(ask)}, headers=self._dated)

    @property
    def _dated(self) -> dict[str, str]:
        return {"Date": formatdate(time.time() + self.off, usegmt=True)}

    def _answer(self, ask: dict[str, Any]) -> dict[str, Any]:  # noqa: C901, PLR0911  (one an action)
        match ask["action"]:
            case "told":
                return self._told(ask)
            case "living" | "announce" | "watch":
                return self._of_leases(ask)
            case "deploy":
                self.told.setdefault(ask["request_id"], "")
                told = {name: ask.get(name) or "" for name in TITLE_FIELDS}
                status = "completed" if self.ends else "queued"
                begun = run(len(self.runs) + 1, status, self.ends or None, **told)
                self.runs.append(begun)
                answered = {"id": begun.id, "url": begun.url}
                return {"message": "queued", "run": answered, **self.adds}
            case "run":
                return {"run": _json(next(r for r in self.runs if r.id == ask["run_id"]))}
            case "history":
                return self._history(ask["target"], ask["page"])
            case "runs":
                listed = [one for one in reversed(self.runs) if one.id not in self.unlisted]
                return {"runs": [_json(one) for one in listed]}
            case "cancel":
                if any(one.id == ask["run_id"] for one in self.runs):
                    self.change(ask["run_id"], status="completed", conclusion="cancelled")
                return {"message": f"run {ask['run_id']} is being cancelled"}
            case "stop":
                stopped = {"id": 1, "url": "", "target": "all", "at": "claw-1"}
                return {"message": "Run 1 was told.", "run": stopped, "by": ask["requested_by"]}
            case "holds" | "freeze" | "unfreeze":
                return self._of_holds(ask)
            case "registry":
                return {"registry": self.registry, "version": "1", "revisions": self.revisions}
            case "preflight":
                return {"checks": self.checks, "signer": self.signer}
        raise AssertionError(ask)

    def _of_leases(self, ask: dict[str, Any]) -> dict[str, Any]:
        """Every lease is the asker's, unless it is a younger process's."""
        bot = ask.get("bot", "")
        announced = {"silence": "", "by": bot, "message": ask.get("message", "")}
        return {
            **({"younger": True} if self.younger else {}),
            "reply": self.life,
            "announcement": announced | self.announced,
            "watch": {"mine": True, "state": ask.get("state") or "", "version": 1},
        }

    def _told(self, ask: dict[str, Any]) -> dict[str, Any]:
        if "end" in ask:
            self.told[ask["request_id"]] = ask["end"]
        return {"told": self.told.get(ask["request_id"])}

    def _history(self, target: str, page: int) -> dict[str, Any]:
        """So many runs a page as `PAGE` says."""
        found = [_json(one) for one in reversed(self.runs) if target in ("", one.target)]
        pages = max(1, -(-len(found) // PAGE))
        number = min(page, pages)
        shown = found[(number - 1) * PAGE : number * PAGE]
        unseen = [one["id"] for one in shown if one["id"] in self.unseen]
        why = "GitHub does not answer." if unseen else ""
        return {"runs": shown, "unseen": unseen, "why": why, "page": number, "pages": pages}

    def change(self, id_: int, **more: Any) -> Run:
        """GitHub moves a run on."""
        place = next(place for place, one in enumerate(self.runs) if one.id == id_)
        self.runs[place] = self.runs[place]._replace(**more)
        return self.runs[place]

    def _of_holds(self, ask: dict[str, Any]) -> dict[str, Any]:
        before = self.freeze
        if ask["action"] == "freeze":
            since = int(self.now())
            held = {"by": ask["requested_by"], "reason": ask["reason"], "since": since}
            self.freeze = {**held, "until": since + ask["seconds"]}
        if ask["action"] == "unfreeze":
            self.freeze = None
        lock = {"lock": self.lock} if self.sees_lock else {}
        return {"freeze": self.freeze, "lifted": before, "replaced": before, **lock}

    def count(self, action: str) -> int:
        return sum(ask["action"] == action for ask in self.asked)

    async def until(self, action: str, count: int) -> None:
        """Wait until that many such calls came."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: self.count(action) >= count)


def _no(code: str, why: str) -> dict[str, Any]:
    return {"ok": False, "code": code, "error": why}


def _json(one: Run) -> dict[str, Any]:
    jobs = [
        {**each._asdict(), "steps": [step._asdict() for step in each.steps]} for each in one.jobs
    ]
    made_of = one.made_of._asdict() if one.made_of else None
    return {**one._asdict(), "jobs": jobs, "made_of": made_of}


@asynccontextmanager
async def control_api(clock: TurnedClock) -> AsyncIterator[tuple[Api, ControlApi]]:
    api = Api(now=clock.now)
    app = web.Application()
    app.router.add_post("/", api.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listening = listen(0)
    await web.SockSite(runner, listening).start()
    api.url = url_of(listening)
    async with ControlApi(api.url, "token", "AK", "secret", "eu-central-1", clock) as client:
        yield api, client
    await runner.cleanup()
