"""The lists of `make mutants` speak of what is in the tree."""

from tests.mutants.survivors import LIST, listed, written
from tests.mutants.table import TESTS, missing


def test_every_file_of_the_table_exists() -> None:
    assert missing() == []


def test_a_survivor_is_of_a_file_that_is_mutated_and_has_a_reason() -> None:
    known = listed(LIST.read_text())
    assert {one.file for one in known} <= set(TESTS)
    assert [one for one, reason in known.items() if len(reason.split()) < 2] == []
    assert LIST.read_text() == written(known)
