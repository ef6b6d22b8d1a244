"""Every requirement has a test that proves it, or a line in docs/gaps.md that says why not."""

from __future__ import annotations

from tests.proofs import gaps, ids_in, proofs, requirements


def test_the_list_is_whole() -> None:
    counted = [sum(name.startswith(prefix) for name in requirements()) for prefix in ("CAMP", "ORD", "HTL", "CAT")]
    assert counted == [25, 13, 45, 37]
    assert sum(name.startswith("CLN") for name in requirements()) == 22
    assert sum(name.startswith("C") and name[1].isdigit() for name in requirements()) == 25


def test_every_requirement_has_a_test_or_a_reason() -> None:
    assert sorted(set(requirements()) - set(proofs()) - gaps()) == []


def test_tests_name_only_requirements_that_there_are() -> None:
    unknown = {name: tests for name, tests in proofs().items() if name not in requirements()}
    assert unknown == {}


def test_a_range_of_ids_is_each_of_them() -> None:
    assert ids_in("CAT-02..05 and HTL-01 (C15)") == {"CAT-02", "CAT-03", "CAT-04", "CAT-05", "HTL-01", "C15"}
