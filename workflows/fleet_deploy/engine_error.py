"""Makes the engine's error output into one sentence that a chat has room for."""

import re
from collections.abc import Iterator

from workflows.fleet_deploy import lock
from workflows.fleet_deploy.stopped import cut

# Of the characters that a chat shows of a reason, what the rest of its sentence leaves.
LENGTH = 220
# OpenTofu frames its diagnostics in these where it may colour them.
_FRAME = "│╷╵"
# AWS's code and sentence come last, behind the name of every layer that they went through; `api
# error` stands before a code that its SDK has no type for. The next of several errors is an item.
_AWS = re.compile(
    r"(?:\bRequestID: [^,]*, (?:HostID: [^,]*, )?(?:api error )?|\bapi error )(.+?)"
    r"(?:\s*\t\* .*)?\Z"
)
_LAYERS = re.compile(r"(?:\A|[:,] )(?:operation error|https response error|\d+ errors? occ).*")
# What an administrator may decode, and nobody can read.
_ENCODED = re.compile(r"\s*Encoded authorization failure message:.*")
_DIGEST = re.compile(r"does not have the expected content.*following value: ?([0-9a-f]*)")


def failure(command: str, code: int, said: str) -> str:
    """The sentence for a command that ended with this exit code, having said that."""
    return f"OpenTofu's {command} failed: {_why(code, said).rstrip('.')}."


def lines(said: str) -> list[str]:
    """The lines of the engine's output without their frame."""
    return [line.strip(f" \t\r\n{_FRAME}") for line in said.splitlines()]


def _why(code: int, said: str) -> str:
    if locked := lock.held(lines(said)):
        return lock.stays(locked)
    error = list(_first_error(said))
    if digest := _DIGEST.search(" ".join(error)):
        value = f" (it should be {digest[1]})" if digest[1] else ""
        return (
            "the digest of the state in DynamoDB is not that of the state in S3, as after a write "
            f"that was cut short{value}; deploy again in two minutes, and if it still says so, do "
            "what docs/runbook.md has under `A digest that does not match`"
        )
    if not error:
        return f"exit {code}, see the log"
    telling = next(filter(None, map(_AWS.search, error)), None)
    return cut(_by_meaning(error[0], telling[1]) if telling else error[0], LENGTH)


def _first_error(said: str) -> Iterator[str]:
    """The paragraphs of the first error that it named, its headline first.

    What is indented says where in the configuration it was met.
    """
    paragraph: list[str] = []
    begun = False
    for framed in said.splitlines():
        line = framed.strip(_FRAME).removeprefix(" " if framed[:1] in _FRAME else "").rstrip()
        if line.startswith(("Error: ", "Warning: ")):
            if begun:
                break
            begun = line.startswith("Error: ")
        if not begun or line.startswith("  "):
            continue
        if line:
            paragraph.append(line.removeprefix("Error: "))
        elif paragraph:
            yield " ".join(paragraph)
            paragraph = []
    if paragraph:
        yield " ".join(paragraph)


def _by_meaning(headline: str, aws: str) -> str:
    """What was being done, then AWS's own words: `creating EC2 Instance: VcpuLimitExceeded: …`."""
    doing = _LAYERS.sub("", headline)
    words = _ENCODED.sub("", aws).rstrip(": ")
    return f"{doing}: {words}" if doing else words
