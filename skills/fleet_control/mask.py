"""Takes secrets, and whatever looks like one, out of a host's log lines.

A host says its words through this, and a run says them again through it: the host may be broken.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
# A shorter secret, or line of one, would be found in innocent words.
_SHORTEST = 6
_SHORTEST_CODED = 8
_VALUE = r"""(?:\\?"[^"\n]*"?|\\?'[^'\n]*'?|[^\s"']+)"""
_WORDS = (
    r"(?:token|secret|passw(?:or)?d|passphrase|pwd?|passcode|credentials?|key|bearer|"
    r"auth|signature|sig|session|cookie|jwt|dsn|pat|webhook)"
)
# What may lie between a name and its value: in JSON, in a URL, in a shell, in a sentence.
_IS = r"""(?:(?:\\*["'\]])*\s*(?:=>|:=|[:=]|%3[ad]|%22%3a)\s*|["']\s*,\s*)(?:%22)?"""
# As those who issue keys begin them, and what a webhook's address ends with.
_ISSUED = re.compile(
    r"(?i)\b(?:sk-|pk-|gh[a-z]_|github_pat_|glpat-|xox[a-z]-|xapp-|hf_|AKIA|ASIA)[\w-]{4,}"
)
_WEBHOOK = re.compile(r"(?i)(/(?:webhooks|services|hooks)/)[^\s\"'<>]{6,}")
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_UNPRINTABLE = re.compile(r"[^\n -~]")
_PEM = re.compile(r"-{4,5}BEGIN[^-\n]*-{4,5}.*?(?:-{4,5}END[^-\n]*-{4,5}|\Z)", re.DOTALL)
_END_OF_PEM = re.compile(r"-{4,5}END[^-\n]*-{4,5}")
_LINE_OF_PEM = re.compile(r"\s*[A-Za-z0-9+/=]*\s*")
_LOGIN = re.compile(r"(?i)((?::|%3a)(?://|%2f%2f|\\/\\/))[^\s\"'<>]{0,500}(?:@|%40)")
_HEADER = re.compile(
    r"(?i)((?:authorization|cookie)\\?[\"']?\s*[:=,]\s*)(?:\\?\"[^\"\n]*\"?|'[^'\n]*'?|[^\n\"']+)"
)
_SCHEME = re.compile(r"(?i)\b((?:bearer|bot)\s+)(?=\S*[\d._-])[^\s\"',;]{6,}")
_BASIC = re.compile(r"(?i)\b(basic\s+)(?=[A-Za-z+/]*[\d=])[A-Za-z0-9+/]{6,}={0,2}")
# An error's name is followed by what is wrong.
_CALLED = re.compile(rf"(?i)({_WORDS}(?!\w{{0,24}}error)[a-z0-9_-]{{0,24}}{_IS}){_VALUE}")
_OPTION = re.compile(
    rf"(?i)((?<![\w-])--?[a-z0-9-]{{0,24}}{_WORDS}[a-z0-9-]{{0,24}}[\"',]*\s+){_VALUE}"
)
_PHRASE = re.compile(rf"(?i)(passphrase\s*{_IS})[^\n]+")
# `password is hunter2`: a word that is none of a sentence's.
_SAID = re.compile(
    rf"(?i:({_WORDS}s?[\"')]*\s+(?:(?:is|was|are|of|for)\s+)?[\"'(]*))"
    r"(?=[^\s\"']*(?:\d|[a-z][A-Z]|[!#$%^&+=]))[^\s\"']{6,}"
)
# Not behind a slash that JSON escaped either: a flood of those would be read again from each.
_STARTS = r"(?<![\w.+=~:%-])(?<!\\/)"
_SYMBOL = r"(?:[\w.+=~:%-]|\\/|\\u00[0-9a-fA-F]{2})"
_KEY = re.compile(rf"{_STARTS}(?={_SYMBOL}*\d){_SYMBOL}{{20,}}")
# Of base64 with a slash in it; a path has none of its digits and capitals, or begins with one.
_BASE64 = re.compile(
    r"(?<![\w.+/=~-])(?=[A-Za-z+/]*\d)(?=[a-z0-9+/]*[A-Z])(?=[A-Z0-9+/]*[a-z])"
    r"[A-Za-z0-9+](?:[A-Za-z0-9+/]|\\/){19,}={0,2}"
)
_RANDOM = re.compile(r"(?<![\w/.-])[A-Za-z+/]{24,}={0,2}(?![\w.-])")
_INNOCENT = re.compile(
    r"\d{4}-\d\d-\d\d[T_ ]?[\d:.,+Z-]*|(?:ami|i|vol|eni|sg|subnet|vpc)-[0-9a-f]{8,17}"
)
# A key that a journal, or whoever wrote it, broke in two: the end of a line and the next one's.
_BROKEN = re.compile(r"(?<![\w+/=-])([\w+/-]{6,})\n[ \t]*([\w+/-]{6,}={0,2})(?![\w.:+/-])")


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """Plain lines without these secrets and without whatever looks like one.

    What is to be cut is cut afterwards: half a secret would not be found.
    """
    text = _COLOUR.sub("", text.replace("\r\n", "\n"))
    text = _without(text, secrets)
    text = _without_ends(_PEM.sub(MASK, text))
    text = _LOGIN.sub(rf"\1{MASK}@", text)
    for called in (_HEADER, _SCHEME, _BASIC, _PHRASE, _CALLED, _OPTION, _SAID):
        text = called.sub(_renamed, text)
    text = _WEBHOOK.sub(rf"\1{MASK}", _ISSUED.sub(MASK, text))
    text = _BROKEN.sub(_rejoined, text)
    text = _BASE64.sub(MASK, _KEY.sub(_unless_innocent, text))
    text = _RANDOM.sub(_unless_words, text)
    return _UNPRINTABLE.sub("?", text).strip()


def _without_ends(text: str) -> str:
    """Without PEM's lines of which only the last are here."""
    *parts, rest = _END_OF_PEM.split(text)
    said = []
    for part in parts:
        lines = part.split("\n")
        while lines and _LINE_OF_PEM.fullmatch(lines[-1]):
            lines.pop()
        said.append("\n".join((*lines, MASK)))
    return "".join((*said, rest))


def _renamed(found: re.Match[str]) -> str:
    """Its name, with the quotes that stood around its value."""
    value = found[0][len(found[1]) :]
    opened = re.match(r"\\?[\"']", value)
    quote_ = opened[0] if opened else ""
    return f"{found[1]}{quote_}{MASK}{quote_ if quote_ and value.endswith(quote_) else ''}"


def _unless_innocent(found: re.Match[str]) -> str:
    return found[0] if _INNOCENT.fullmatch(found[0]) else MASK


def _unless_words(found: re.Match[str]) -> str:
    """CamelCase has few capitals; what is random has as many as small letters."""
    capitals, small = (len(re.findall(letter, found[0])) for letter in ("[A-Z]", "[a-z]"))
    return MASK if 4 * min(capitals, small) >= len(found[0]) else found[0]


def _rejoined(found: re.Match[str]) -> str:
    """Masked where both halves look like parts of one key."""
    one, other = found[1], found[2]
    whole = len(one) + len(other) >= 20 and all(map(_is_mixed, (one, other)))
    return f"{MASK}\n{MASK}" if whole else found[0]


def _is_mixed(half: str) -> bool:
    """Whether it has digits among letters, or capitals behind small ones, as words have not."""
    return len(re.findall(r"\d[A-Za-z]|[A-Za-z]\d|[a-z][A-Z]", half)) >= 2


def _without(text: str, secrets: Iterable[str]) -> str:
    """Without these in any form of theirs, also where a line ends within one."""
    places = [place for place, letter in enumerate(text) if letter not in "\r\n"]
    joined = "".join(text[place] for place in places)
    spans = sorted(_spans(joined, {form for one in secrets for form in _forms(one)}))
    parts, at = [], 0
    for begin, end in _merged(spans):
        parts += [text[at : places[begin]], MASK]
        at = places[end - 1] + 1
    return "".join((*parts, text[at:]))


def _spans(joined: str, forms: Iterable[str]) -> Iterator[tuple[int, int]]:
    for form in forms:
        at = joined.find(form)
        while at >= 0:
            yield at, at + len(form)
            at = joined.find(form, at + 1)


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    begun, ended = 0, 0
    for begin, end in spans:
        if begin > ended and ended:
            yield begun, ended
        begun = begin if begin > ended or not ended else begun
        ended = max(ended, end)
    if ended:
        yield begun, ended


def _forms(secret: str) -> Iterator[str]:
    """Each way in which a program may have written it, or a part of it that means something by
    itself: a line, what `NAME=` or `name:` gives, an item of a list, a string of JSON."""
    whole = secret.strip()
    for one in {whole, *_parts(whole)}:
        if len(one) >= _SHORTEST:
            for form in (one, *_escaped(one), *_coded(one.encode(errors="replace"))):
                yield re.sub(r"[\r\n]", "", form)


def _parts(whole: str) -> Iterator[str]:
    lines = [line.strip() for line in whole.splitlines()]
    for line in lines:
        yield line
        given = re.split("[=:]", line, maxsplit=1)[-1]
        for item in (given, *line.split(","), *given.split(","), *re.findall(r'"([^"]*)"', line)):
            yield item.strip(" \t\"'")


def _escaped(one: str) -> Iterator[str]:
    yield json.dumps(one)[1:-1]
    yield json.dumps(one)[1:-1].replace("/", "\\/")
    yield repr(one)[1:-1]
    for form in (quote(one, safe=""), quote(one), quote_plus(one)):
        yield form
        yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), form)


def _coded(raw: bytes) -> Iterator[str]:
    """As hexadecimal, and as base64 wherever it begins within what is encoded."""
    yield raw.hex()
    yield raw.hex().upper()
    for lead in range(3):
        # The letters at either end are of its neighbours too.
        code = base64.b64encode(bytes(lead) + raw)[(0, 2, 3)[lead] :]
        code = code[: len(code) - (0, 3, 2)[(lead + len(raw)) % 3]]
        if len(code) >= _SHORTEST_CODED:
            yield code.decode()
            yield code.translate(bytes.maketrans(b"+/", b"-_")).decode()
