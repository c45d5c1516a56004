"""The Lambda's entry point: every event gets an answer."""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from hmac import compare_digest
from typing import Any

from fleet_control.announcement import Silence
from lambda_fn import action, announce, held_lock, preflight, read_limit, stop, told, watch
from lambda_fn.deploy import DeployAction
from lambda_fn.failure import Code, Failure
from lambda_fn.github import GitHubClient
from lambda_fn.github_cache import GitHubCache
from lambda_fn.holds import FreezeRow
from lambda_fn.http_client import Budget
from lambda_fn.mask import without
from lambda_fn.request import ApiAction, ApiRequest, parse, payload, read
from lambda_fn.settings import FunctionSettings, SecretReader, read_settings
from lambda_fn.signer import (
    Signer,
    check_bot,
    check_itself,
    check_person,
    followed,
    person,
    read_signer,
    spoken_by,
)
from lambda_fn.table import Table

# What was read outlives a call, for as long as AWS keeps the process.
_SECRETS, _CACHE = SecretReader(), GitHubCache()
# Whose answers the log has, too: what was read is no news, what was done or refused is.
_TOLD = (
    ApiAction.DEPLOY,
    ApiAction.CANCEL,
    ApiAction.STOP,
    ApiAction.FREEZE,
    ApiAction.UNFREEZE,
)
# What bots alone say, of what they told and tell.
_OF_BOTS = (ApiAction.TOLD, ApiAction.LIVING, ApiAction.ANNOUNCE, ApiAction.WATCH)
# As much of an answer as the log has.
_ANSWER = 300


def _to_aws(line: str) -> None:
    """AWS keeps what is written here; its own logging starts at warnings."""
    sys.stderr.write(f"{line}\n")


def handler(
    event: object,
    context: object,
    environ: Mapping[str, str] = os.environ,
    secrets: SecretReader = _SECRETS,
    cache: GitHubCache = _CACHE,
    now: Callable[[], float] = time.time,
    write: Callable[[str], None] = _to_aws,
) -> dict[str, object]:
    """A Function URL's answer. `context` is AWS's: its `invoked_function_arn` says which account
    is our own. The rest is a process's own; `write` takes a line of the log."""
    return Call(context, environ, secrets, Budget(now=now), cache, write).answer(event)


class Call:
    """One call of the API, from the event to the answer and its line in the log."""

    def __init__(
        self,
        context: object,
        environ: Mapping[str, str],
        secrets: SecretReader,
        budget: Budget,
        cache: GitHubCache,
        write: Callable[[str], None] = _to_aws,
    ) -> None:
        self._write = write
        self._context = context
        self._environ = environ
        self._secrets = secrets
        self._budget = budget
        self._cache = cache
        self._spared = 0.0
        self._conf: FunctionSettings | None = None
        self._github: GitHubClient | None = None
        self._trail: dict[str, object] = {"aws_request": getattr(context, "aws_request_id", "")}

    def answer(self, event: object) -> dict[str, object]:
        status, trace = 200, None
        body: dict[str, object] = {"ok": True}
        try:
            body |= self._act(event)
        except Exception as error:  # noqa: BLE001  (whatever breaks, the asker gets an answer)
            failure = self._told(error)
            status, trace = failure.status, None if failure is error else error
            body = {"ok": False, "code": failure.code, "error": str(failure)}
            if failure.retry_after:
                body["retry_after"] = failure.retry_after
        if self._trail.get("signer") == "unproven":
            body["unproven_caller"] = True
        text = json.dumps(self._plain(body))
        self._log(status, body, text, trace)
        return {
            "statusCode": status,
            "headers": {"content-type": "application/json"},
            "body": text,
        }

    def _told(self, error: Exception) -> Failure:
        if isinstance(error, Failure):
            return error
        if self._github:
            return Failure(Code.GITHUB_UNREACHABLE, "GitHub's answer has no form of GitHub's.")
        return Failure(Code.INTERNAL, "The Control API broke: see its log.")

    def _act(self, event: object) -> Mapping[str, object]:
        request = read(event)
        self._conf = conf = read_settings(self._environ)
        self._check_token(request.token, conf)
        arn = getattr(self._context, "invoked_function_arn", "")
        signer = read_signer(request.iam, arn, conf)
        self._trail["signer"] = ":".join(filter(None, signer))
        self._trail["request_id"] = of_ask = followed(signer, request.request_id)
        ask = parse(payload(request))
        # Only what was checked comes into the trail: no field can hold a line's end.
        self._trail |= {"action": str(ask.action), "run_id": ask.run_id, **ask.entry._asdict()}
        self._trail["request_id"] = ask.entry.request_id or of_ask
        self._spared = read_limit.spared(signer, ask.action)
        table = Table(conf.table, self._environ, self._budget) if conf.table else None
        if ask.action is ApiAction.DEPLOY:
            entry = spoken_by(signer, ask.entry)
            self._trail |= entry._asdict()
            return DeployAction(entry, self._connect, table, self._budget).begin()
        if ask.action is ApiAction.STOP:
            self._trail["requested_by"] = by = person(signer, ask.entry.requested_by)
            return stop.stop(by, self._connect(self._budget), table)
        if ask.action is ApiAction.CANCEL:
            check_person(signer, ask.entry.requested_by)
        if ask.action in _OF_BOTS:
            return self._of_bots(ask, signer, table)
        if ask.action in (ApiAction.FREEZE, ApiAction.UNFREEZE, ApiAction.HOLDS):
            return self._of_holds(ask, signer, table)
        read_limit.count(signer, ask.action, table, self._cache, self._budget.now())
        if ask.action is ApiAction.PREFLIGHT:
            held = partial(held_lock.seen, conf, table, self._environ, self._budget)
            return preflight.answer(signer, self._connect, table, held, self._budget)
        return action.answer(ask, self._connect(self._budget))

    def _of_bots(
        self, ask: ApiRequest, signer: Signer, table: Table | None
    ) -> Mapping[str, object]:
        """What a bot told its asker, whether its reply lives, what it tells a channel of the
        fleet."""
        if ask.bot:
            check_itself(signer, ask.bot)
        else:
            check_bot(signer, ask.entry.request_id)
        read_limit.count_telling(signer, table, self._cache, self._budget.now())
        self._trail |= {
            "channel": ask.channel,
            "bot": ask.bot,
            "end": ask.end,
            "answered": ask.answered,
        }
        if ask.action is ApiAction.TOLD:
            return self._of_calls(ask, table)
        if table is None:
            why = "Bots agree in the control table on who tells what: set CONTROL_TABLE."
            raise Failure(Code.MISCONFIGURED, why)
        name, said, younger = self._of_one_process(ask, table)
        self._trail["younger"] = younger
        return {name: said, "younger": True} if younger else {name: said}

    def _of_one_process(self, ask: ApiRequest, table: Table) -> tuple[str, object, bool]:
        """What one process of a bot does at a time, and whether a younger one of the same does."""
        now = self._budget.now()
        if ask.action is ApiAction.LIVING:
            return "reply", *told.live(table, ask.entry.request_id, now, ask.began)
        if ask.action is ApiAction.WATCH:
            return "watch", *watch.watch(ask, table, now)
        github = self._connect(self._budget)
        request_id, announced = announce.announce(ask, github, table, now)
        self._trail |= {"request_id": request_id, "silence": announced.silence}
        younger = announced.silence == Silence.LEASED and announced.by == ask.bot
        return "announcement", announced, younger

    def _of_calls(self, ask: ApiRequest, table: Table | None) -> Mapping[str, object]:
        """Notes that an asker was told, or says whether; without a table nobody knows."""
        if table is None:
            return {"told": None}
        if ask.end:
            told.note(table, ask.entry.request_id, ask.end, self._budget.now())
            return {"told": ask.end}
        return {"told": told.noted(table, ask.entry.request_id)}

    def _of_holds(
        self, ask: ApiRequest, signer: Signer, table: Table | None
    ) -> Mapping[str, object]:
        """What holds the fleet is for all to see; only a person begins or ends a freeze."""
        holds = FreezeRow(table, self._budget.now())
        if ask.action is ApiAction.HOLDS:
            conf = self._conf or read_settings(self._environ)
            locked = held_lock.seen(conf, table, self._environ, self._budget)
            return {"freeze": holds.frozen(), **locked}
        who = person(signer, ask.entry.requested_by)
        self._trail |= {"requested_by": who}
        if ask.action is ApiAction.UNFREEZE:
            return {"lifted": holds.lift()}
        self._trail |= {"seconds": ask.duration, "reason": ask.reason}
        made, replaced = holds.begin(who, ask.duration, ask.reason)
        return {"freeze": made, "replaced": replaced}

    def _check_token(self, given: str, conf: FunctionSettings) -> None:
        """Every token is compared, and each in constant time."""
        raw = given.encode("utf-8", "surrogatepass")
        known = self._secrets.read(conf.control_token, self._environ, self._budget)
        if not sum(compare_digest(raw, token.encode()) for token in known):
            raise Failure(Code.UNAUTHORIZED, "The token (x-clawdinator-token) is wrong.")

    def _connect(self, budget: Budget) -> GitHubClient:
        conf = self._conf or read_settings(self._environ)

        def token(fresh: bool) -> str:
            return self._secrets.read(conf.github_token, self._environ, self._budget, fresh)[0]

        self._github = GitHubClient(conf, token, self._safe, budget, self._cache, self._spared)
        return self._github

    def _plain(self, value: Any) -> object:
        """`value` as JSON has it: named tuples as objects, and no secret in any text. Once it is
        JSON, a secret with a quote or a backslash in it would look different."""
        if isinstance(value, str):
            return self._safe(value)
        if hasattr(value, "_asdict"):
            value = value._asdict()
        if isinstance(value, dict):
            return {key: self._plain(one) for key, one in value.items()}
        return [self._plain(one) for one in value] if isinstance(value, list | tuple) else value

    def _safe(self, text: str) -> str:
        """`text` without any secret that is in hand."""
        conf = self._conf
        known = self._secrets.known(conf.control_token, conf.github_token) if conf else ()
        return without(text, known)

    def _log(
        self, status: int, body: Mapping[str, object], text: str, trace: Exception | None
    ) -> None:
        """One JSON object a line per request is the audit trail. `text` is the body as sent."""
        now = datetime.fromtimestamp(self._budget.now(), UTC)
        line: dict[str, object] = {
            "time": f"{now.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z",
            "level": "error" if trace else "info",
            "event": "control.answered",
            "logger": "lambda_fn",
            **{key: value for key, value in self._trail.items() if value},
            "status": status,
        }
        if "code" in body:
            line["code"] = body["code"]
        if status != 200 or self._trail.get("action") in _TOLD:
            line["answer"] = text[:_ANSWER]
        if trace:
            line["exception"] = "".join(traceback.format_exception(trace))
        self._write(json.dumps(self._plain(line)))
