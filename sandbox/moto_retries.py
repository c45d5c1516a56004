"""A request that its client retries gets its first answer again, and is not done twice.

The AWS SDK for Go closes a request's body as soon as it has the answer's headers. On loopback
those can come before the goroutine that writes the request has looked for the body's end; its
last read then fails, the connection is closed with the answer unread, and the SDK tries again.
A lock that was taken would be found taken, a host that was launched would be launched twice.
AWS, milliseconds away, never answers so fast. moto itself takes no notice of repetitions.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from werkzeug.wrappers import Response

# The SDK sends the same one with every attempt at a call.
_INVOCATION = "HTTP_AMZ_SDK_INVOCATION_ID"
_KEPT = 256
_SERVER_ERROR = 500

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def answering_again(moto: Wsgi) -> Wsgi:
    """moto's application, doing no call anew that it answered; what failed on its side may be."""
    answers: OrderedDict[str, Response] = OrderedDict()
    lock = Lock()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        invocation: str = environ.get(_INVOCATION, "")
        if not invocation:
            return moto(environ, start_response)
        with lock:
            answer = answers.get(invocation)
        if answer is None:
            answer = Response.from_app(moto, environ, buffered=True)
            if answer.status_code < _SERVER_ERROR:
                with lock:
                    answers[invocation] = answer
                    if len(answers) > _KEPT:
                        answers.popitem(last=False)
        else:
            # Left unread, it would have the server reset the connection.
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return answer(environ, start_response)

    return application
