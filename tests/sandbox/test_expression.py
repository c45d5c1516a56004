"""Expressions, as GitHub evaluates them; what is not known is an error."""

import math
from typing import Any

import pytest

from sandbox.expression import Scope, Status, filled, holds, whole
from sandbox.workflow_error import WorkflowError

CONTEXTS: dict[str, Any] = {
    "inputs": {"target": "all", "caller": ""},
    "needs": {"plan": {"outputs": {"roll": '[{"id": "claw-1"}]', "Target": "All"}}},
    "steps": {},
    "list": ["a", "B"],
}
SCOPE = Scope(CONTEXTS)


def value(expression: str, scope: Scope = SCOPE) -> Any:
    return whole(f"${{{{ {expression} }}}}", scope)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'it''s'", "it's"),
        ("'}} {'", "}} {"),
        ("-1.5", -1.5),
        ("inputs.target", "all"),
        ("Inputs.Target", "all"),
        ("inputs['target']", "all"),
        ("list[1]", "B"),
        ("list[7]", None),
        ("inputs.caller || '-'", "-"),
        ("inputs.caller && 'bot' || 'person'", "person"),
        ("inputs.target == 'all'", True),
        ("inputs.target == 'ALL'", True),
        ("needs.plan.outputs.target == 'all'", True),
        ("inputs.target != 'all'", False),
        ("!inputs.caller", True),
        ("!(true && 0)", True),
        ("(true || false) && false", False),
        ("true || false && false", True),
        ("steps.none.outputs.x", None),
        ("steps.none == ''", True),
        ("null == ''", True),
        ("null == 0", True),
        ("'1' == 1", True),
        ("true == 1", True),
        ("true == 'true'", False),
        ("'0' && 'a text is true'", "a text is true"),
        ("'x' == 1", False),
        ("list == list", True),
        ("fromJSON('[1]') == fromJSON('[1]')", False),
        ("fromJSON(needs.plan.outputs.roll)", [{"id": "claw-1"}]),
        ("fromJson('[1, 2]')[1]", 2),
        ('fromJSON(\'{"a": {"b": 7}}\').a.b', 7),
        ("toJSON(list)", '[\n  "a",\n  "B"\n]'),
        ("format('{0} of {{{1}}}', 1, 'x')", "1 of {x}"),
        ("contains('CLAWDINATOR', 'nat')", True),
        ("contains(list, 'b')", True),
        ("contains(list, 'c')", False),
        ("startsWith('ami-1', 'AMI')", True),
    ],
)
def test_an_expression_has_githubs_value(expression: str, expected: object) -> None:
    assert expected == value(expression)


def test_what_is_no_number_is_not_true() -> None:
    assert not holds("nan", Scope({"nan": math.nan}))


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("secrets.TOKEN", "`secrets` is not available"),
        ("hashFiles('x')", "`hashFiles()`"),
        ("toJSON()", "`toJSON()`"),
        ("contains('x')", "`contains()`"),
        ("success(1)", "`success()`"),
        ("inputs.target > 1", "`>`"),
        ("inputs.*", "`*`"),
        ("inputs.target inputs", "`inputs`"),
        ("(inputs.target", "`)` is missing"),
        ("list[0", "`]` is missing"),
        ("format('x' 'y')", "`,` is missing"),
        ('"x"', '`"x"`'),
        ("inputs.", "ends too early"),
        ("inputs.'x'", "`.'x'`"),
        ("", "ends too early"),
        ("1 ==", "ends too early"),
        ("fromJSON('{')", "not JSON"),
        ("format('{1}', 'x')", "`{1}`"),
        ("format('{', 'x')", "`{`"),
    ],
)
def test_what_is_not_known_is_an_error_that_names_it(expression: str, named: str) -> None:
    with pytest.raises(WorkflowError) as raised:
        value(expression)

    assert named in str(raised.value)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("inputs.target", "all"),
        ("null", ""),
        ("true", "true"),
        ("3.0", "3"),
        ("0.5", "0.5"),
        ("list", "Array"),
        ("inputs", "Object"),
    ],
)
def test_a_text_is_filled_in(expression: str, text: str) -> None:
    assert filled(f"a ${{{{ {expression} }}}} z", SCOPE) == f"a {text} z"


def test_a_text_that_is_one_expression_keeps_its_type() -> None:
    assert whole("${{ fromJSON('[1]') }}", SCOPE) == [1]
    assert whole("${{ 'a' }}${{ 'b' }}", SCOPE) == "ab"
    assert whole(7, SCOPE) == 7


def test_an_expression_must_be_closed() -> None:
    with pytest.raises(WorkflowError, match="not closed"):
        filled("${{ inputs.target }", SCOPE)


def test_the_second_half_is_looked_at_only_where_it_matters() -> None:
    assert value("true || fromJSON('{')") is True
    assert value("false && fromJSON('{')") is False


def test_an_if_needs_no_braces() -> None:
    assert holds("needs.plan.outputs.target == 'all'", SCOPE)
    assert not holds("${{ inputs.caller }}", SCOPE)
    assert holds("", SCOPE)


def test_an_if_with_text_around_its_braces_is_refused() -> None:
    with pytest.raises(WorkflowError, match="one expression"):
        holds("${{ inputs.caller }} == 'x'", SCOPE)


@pytest.mark.parametrize(
    ("condition", "after_success", "after_failure", "after_cancel"),
    [
        ("", True, False, False),
        ("true", True, False, False),
        ("success()", True, False, False),
        ("failure()", False, True, False),
        ("cancelled()", False, False, True),
        ("always()", True, True, True),
        ("!cancelled()", True, True, False),
        ("failure() && false", False, False, False),
    ],
)
def test_an_if_asks_for_success_unless_it_asks_for_another_status(
    condition: str, after_success: bool, after_failure: bool, after_cancel: bool
) -> None:
    found = [
        holds(condition, Scope({}, status))
        for status in (Status(), Status(False, True), Status(False, False, True))
    ]

    assert [after_success, after_failure, after_cancel] == found
