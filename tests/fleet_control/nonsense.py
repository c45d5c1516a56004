"""Everything a Control API should never answer."""

import json
from collections.abc import Callable

from tests.fleet_control.lambdas import Lambda

Spoil = Callable[[Lambda], None]


def a_500(control: Lambda) -> None:
    control.says("Internal Server Error", 500, "text/plain")


def html(control: Lambda) -> None:
    control.says("<html><h1>It works!</h1></html>")


def six_megabytes(control: Lambda) -> None:
    control.says(json.dumps({"ok": True, "run": "x" * 6 * 1024**2}), type_="application/json")


def a_list(control: Lambda) -> None:
    control.answers([1, 2, 3])


def an_abyss(control: Lambda) -> None:
    control.says("[" * 500_000, type_="application/json")


def no_verdict(control: Lambda) -> None:
    control.answers({"run": {}})


NONSENSE = [a_500, html, six_megabytes, a_list, an_abyss, no_verdict]
