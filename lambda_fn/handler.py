"""What AWS calls: an event in, an answer out, whatever the event."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from lambda_fn import ask, mask, settings, signer
from lambda_fn import event as aws_event
from lambda_fn.audit import Trail
from lambda_fn.budget import Budget
from lambda_fn.deploy import deploy
from lambda_fn.failure import STATUS, Broken, Code, Failure
from lambda_fn.secret import Vault, lines
from lambda_fn.settings import Settings
from lambda_fn.voice import may_cancel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_fn.github import GitHub

# What was read from parameters outlives a call, for as long as AWS keeps the process.
_VAULT = Vault()


def handler(
    event: object, context: object, environ: Mapping[str, str] = os.environ
) -> dict[str, object]:
    """A Function URL's answer. `context` is AWS's: its `invoked_function_arn` says which account
    is our own."""
    return Call(context, environ, _VAULT, Budget()).answer(event)


class Call:
    """One call, with what it has in hand."""

    def __init__(
        self, context: object, environ: Mapping[str, str], vault: Vault, budget: Budget
    ) -> None:
        self._function_arn = str(getattr(context, "invoked_function_arn", ""))
        self._trail = Trail(str(getattr(context, "aws_request_id", "-")))
        self._environ = environ
        self._vault = vault
        self._budget = budget
        self._settings = settings.read(environ)
        self._github: GitHub | None = None
        self._unproven = False

    def answer(self, event: object) -> dict[str, object]:
        try:
            outcome = self._outcome(event)
        except Broken as error:
            outcome = error.failure
        except Exception:  # noqa: BLE001  (whatever is wrong in here, the asker gets an answer)
            self._trail.broken()
            outcome = Failure(Code.INTERNAL, "The Control API itself broke; its log says where.")
        if self._github:
            self._github.close()
        if isinstance(outcome, Failure):
            outcome = outcome._replace(error=mask.without(outcome.error, self._secrets()))
        self._trail.write(outcome, self._environ)
        return _response(outcome, self._secrets(), unproven=self._unproven)

    def _outcome(self, event: object) -> Mapping[str, object] | Failure:
        request = aws_event.read(event)
        if isinstance(request, Failure):
            return request
        signed = self._signed(request)
        if isinstance(signed, Failure):
            return signed
        self._trail.note(signer=signed)
        self._unproven = isinstance(signed, signer.Unproven)
        body = aws_event.payload(request)
        if isinstance(body, Failure):
            return body
        asked = ask.parse(body)
        if isinstance(asked, Failure):
            return asked
        self._trail.asked(asked)
        return self._act(asked, signed)

    def _signed(self, request: aws_event.Request) -> signer.Signer | Failure:
        conf = self._settings
        if isinstance(conf, Failure):
            return conf
        if not self._knows(request.token, conf):
            return Failure(Code.UNAUTHORIZED, f"The token in {aws_event.TOKEN_HEADER} is wrong.")
        return signer.who(request.iam, self._function_arn, conf.operators, conf.allow_unproven)

    def _knows(self, token: str, conf: Settings) -> bool:
        """Every token is compared, and each in constant time."""
        from hmac import compare_digest  # noqa: PLC0415  (not needed where there is no token)

        given = token.encode("utf-8", "surrogatepass")
        known = lines(self._vault.read(conf.control_token, self._environ))
        return sum(compare_digest(given, one.encode()) for one in known) > 0

    def _act(self, asked: ask.Ask, signed: signer.Signer) -> Mapping[str, object] | Failure:
        match asked:
            case ask.Deploy():
                return deploy(asked, signed, self._connect)
            case ask.Cancel():
                return may_cancel(signed, asked.requested_by) or self._cancel(asked)
            case ask.ReadRegistry():
                text, version = self._connect().registry()
                return {"registry": text, "version": version}
            case _:
                return self._read(asked)

    def _cancel(self, asked: ask.Cancel) -> Mapping[str, object] | Failure:
        from lambda_fn.cancel import cancel  # noqa: PLC0415  (one action of five)

        return cancel(asked, self._connect())

    def _read(self, asked: ask.ReadRun | ask.ListRuns) -> Mapping[str, object]:
        from lambda_fn import history  # noqa: PLC0415  (a deploy has no use for it)

        if isinstance(asked, ask.ReadRun):
            return history.run(asked, self._connect())
        return history.runs(asked, self._connect())

    def _connect(self) -> GitHub:
        # HTTP costs more to import than everything a refusal needs.
        from lambda_fn.github import GitHub  # noqa: PLC0415

        conf = self._settings
        if isinstance(conf, Failure):
            raise Broken(*conf)
        self._github = GitHub(conf, self._github_token, self._secrets, self._budget)
        return self._github

    def _github_token(self, fresh: bool) -> str:
        conf = self._settings
        if isinstance(conf, Failure):
            raise Broken(*conf)
        if fresh:
            self._vault.forget(conf.github_token)
        token = self._vault.read(conf.github_token, self._environ)
        if len(token.split()) != 1:
            raise Broken(Code.MISCONFIGURED, "GITHUB_TOKEN must be one token, without spaces.")
        return token

    def _secrets(self) -> tuple[str, ...]:
        conf = self._settings
        if isinstance(conf, Failure):
            return ()
        return self._vault.known(conf.control_token, conf.github_token)


def _response(
    outcome: Mapping[str, object] | Failure, secrets: tuple[str, ...], *, unproven: bool
) -> dict[str, object]:
    status, headers = 200, {"content-type": "application/json"}
    body: dict[str, object] = {"ok": not isinstance(outcome, Failure)}
    if isinstance(outcome, Failure):
        status = STATUS[outcome.code]
        body |= {"code": outcome.code, "error": outcome.error}
        if outcome.retry_after is not None:
            body["retry_after"] = outcome.retry_after
            headers["retry-after"] = str(outcome.retry_after)
        if outcome.code is Code.METHOD_NOT_ALLOWED:
            headers["allow"] = "POST"
    else:
        body |= outcome
    if unproven:
        body["unproven_caller"] = True
    escaped = (json.dumps(secret)[1:-1] for secret in secrets)
    return {
        "statusCode": status,
        "headers": headers,
        "body": mask.without(json.dumps(body), escaped),
    }
