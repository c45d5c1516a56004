"""The policy of an instance's role, as tofu/fleet/identity.tf writes it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

IDENTITY = Path(__file__).parents[2] / "tofu/fleet/identity.tf"


def policy(bucket: str, prefix: str) -> dict[str, Any]:
    """The document, with what OpenTofu would put into it."""
    text = IDENTITY.read_text()
    text = re.sub(r"#.*", "", text[text.index('data "aws_iam_policy_document" "instance"') :])
    values = {
        "${local.bundles}": f"arn:aws:s3:::{bucket}",
        "[local.bundles]": f'["arn:aws:s3:::{bucket}"]',
        "${each.value.bootstrapPrefix}": prefix,
    }
    for expression, value in values.items():
        text = text.replace(expression, value)
    found = list(_statements(text))
    assert "${" not in text, "identity.tf no longer reads as this thinks"
    assert len(found) == 3, "identity.tf no longer reads as this thinks"
    return {"Version": "2012-10-17", "Statement": found}


def _statements(text: str) -> Iterator[dict[str, Any]]:
    for statement in re.findall(r"^  statement \{\n(.*?)^  \}", text, re.DOTALL | re.MULTILINE):
        found: dict[str, Any] = {
            "Sid": _texts("sid", statement)[0],
            "Effect": "Allow",
            "Action": _texts("actions", statement),
            "Resource": _texts("resources", statement),
        }
        if "condition {" in statement:
            test, variable = _texts("test", statement)[0], _texts("variable", statement)[0]
            found["Condition"] = {test: {variable: _texts("values", statement)}}
        yield found


def _texts(name: str, statement: str) -> list[str]:
    """The one text, or all of the list, that an argument is given."""
    given = re.search(rf"^ *{name} *= (\[.*?\]|\".*?\")", statement, re.DOTALL | re.MULTILINE)
    assert given, name
    return re.findall(r'"([^"]*)"', given[1])
