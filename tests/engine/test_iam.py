"""IAM as AWS would evaluate it: the page in docs/ against what the roots created."""

import os

from tests.engine.iam_table import Policies, page
from tests.engine.site import ROOT, Site

PAGE = ROOT / "docs" / "iam.md"


def test_the_page_says_what_the_policies_do(site: Site) -> None:
    """`UPDATE=1 make test-engine` writes the page anew; read its difference like code."""
    site.settles()
    policies = Policies(site)
    written = page(policies)
    policies.close()
    if os.environ.get("UPDATE") == "1":
        PAGE.write_text(written)

    assert PAGE.read_text() == written
