"""IAM as AWS would evaluate it: the page in docs/ against what the roots created."""

import os

from tests.engine.iam_table import Policies, page
from tests.engine.site import ROOT, EngineSite
from tests.static.configuration import as_list

PAGE = ROOT / "docs" / "iam.md"


def test_the_page_says_what_the_policies_do(site: EngineSite) -> None:
    """`UPDATE=1 make test-engine` writes the page anew; read its difference like code."""
    site.settles()
    policies = Policies(site)
    written = page(policies)
    policies.close()
    if os.environ.get("UPDATE") == "1":
        PAGE.write_text(written)

    assert PAGE.read_text() == written


def test_no_right_is_over_another_account_or_region(site: EngineSite) -> None:
    site.settles()
    policies = Policies(site)
    columns = policies.columns()
    policies.close()
    documents = [one for who in columns for one in (*who.policies, who.boundary) if one]
    arns = [
        arn
        for document in documents
        for statement in as_list(document["Statement"])
        for arn in as_list(statement["Resource"])
    ]

    assert len(arns) > len(documents)
    # arn:partition:service:region:account:name
    assert not [arn for arn in arns if "*" in ":".join(f"{arn}:::::".split(":")[3:5])]
