"""A name stands for one thing."""

import ast
from collections import Counter

from tests.test_imports import ROOMS, files

SHIPPED = [room for room in ROOMS if room not in ("tests", "bench", "docs")]


def test_no_two_classes_have_one_name() -> None:
    """Whoever reads `HeldLock` must not ask which."""
    trees = (ast.parse(path.read_text()) for room in SHIPPED for path in files(room))
    names = Counter(
        node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)
    )

    assert [name for name, count in names.items() if count > 1] == []
    assert names["HeldLock"] == 1
