"""The policy of an instance's role, as tofu/fleet/identity.tf writes it."""

import json
import re
from pathlib import Path
from typing import Any

IDENTITY = Path(__file__).parents[2] / "tofu/fleet/identity.tf"


def policy(bucket: str, prefix: str) -> Any:
    """The document, with what OpenTofu would put into it."""
    text = IDENTITY.read_text()
    resource = text[text.index('resource "aws_iam_role_policy" "instance"') :]
    block = re.search(r"policy = jsonencode\((\{.*?\n  \})\)", resource, re.DOTALL)
    assert block, "identity.tf no longer reads as this test thinks"
    return json.loads(_json(block[1]) % {"bucket": bucket, "prefix": prefix})


def _json(hcl: str) -> str:
    text = re.sub(r"^\s*#.*$", "", hcl, flags=re.MULTILINE)
    text = re.sub(r'("[^"\n]*"|\b\w+)\s+= ', lambda key: f'"{key[1].strip(chr(34))}": ', text)
    text = text.replace("${data.aws_partition.current.partition}", "aws")
    text = text.replace("${var.bootstrap_bucket}", "%(bucket)s")
    text = text.replace("${each.value.bootstrapPrefix}", "%(prefix)s")
    # HCL ends a line where JSON wants a comma, and wants none where JSON forbids one.
    text = re.sub(r'(["}\]])\s*\n(\s*["{\[])', r"\1,\n\2", text)
    return re.sub(r",(\s*[}\]])", r"\1", text)
