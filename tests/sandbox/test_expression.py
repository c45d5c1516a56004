"""Expressions, as GitHub evaluates them; what is not known is an error."""

from typing import Any

import pytest

from clawbot.sandbox.expression import WorkflowError, condition, evaluate, filled, whole

CONTEXTS: dict[str, Any] = {
    "inputs": {"target": "all", "caller": ""},
    "needs": {"plan": {"outputs": {"roll": '[{"id": "claw-1"}]', "target": "All"}}},
    "steps": {},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'it''s'", "it's"),
        ("inputs.target", "all"),
        ("inputs.caller || '-'", "-"),
        ("inputs.caller && 'bot' || 'person'", "person"),
        ("inputs.target == 'all'", True),
        ("needs.plan.outputs.target == 'all'", True),
        ("inputs.target != 'all'", False),
        ("!inputs.caller", True),
        ("(true || false) && false", False),
        ("steps.none.outputs.x", None),
        ("null == ''", True),
        ("'1' == 1", True),
        ("fromJSON(needs.plan.outputs.roll)", [{"id": "claw-1"}]),
        ('fromJSON(\'{"a": {"b": 7}}\').a.b', 7),
    ],
)
def test_an_expression_has_githubs_value(expression: str, value: object) -> None:
    assert value == evaluate(expression, CONTEXTS)


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("secrets.TOKEN", "secrets"),
        ("always()", "always()"),
        ("toJSON(inputs)", "toJSON()"),
        ("inputs.target > 1", "> 1"),
        ("inputs[0]", "["),
        ("inputs.target inputs", "inputs"),
        ("(inputs.target", ")"),
        ("inputs.", "dot"),
        ("", "end"),
        ("fromJSON('{')", "not JSON"),
    ],
)
def test_what_is_not_known_is_an_error_that_names_it(expression: str, named: str) -> None:
    with pytest.raises(WorkflowError) as raised:
        evaluate(expression, CONTEXTS)

    assert named in str(raised.value)


def test_a_text_is_filled_in() -> None:
    assert filled("${{ inputs.target }} | ${{ inputs.caller || '-' }}", CONTEXTS) == "all | -"


def test_a_text_that_is_one_expression_keeps_its_type() -> None:
    assert whole("${{ fromJSON('[1]') }}", CONTEXTS) == [1]
    assert whole(7, CONTEXTS) == 7


def test_an_if_needs_no_braces() -> None:
    assert condition("needs.plan.outputs.target == 'all'", CONTEXTS)
    assert not condition("${{ inputs.caller }}", CONTEXTS)
