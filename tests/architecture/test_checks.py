"""The documents that say which test holds what name tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKS = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \|.*\|(.*)\|$", CHECKS, flags=re.MULTILINE)
PROMISES = re.findall(r"^\| (?!promise|---)(.+) \| (.*`.*test_.*) \|$", RELIABILITY, flags=re.MULTILINE)


def named_files(text: str) -> set[str]:
    """The files of tests that a text names, below `tests`."""
    return set(re.findall(r"`(\w+/test_\w+\.py)`", text))


def named_tests(text: str) -> set[str]:
    """The tests that a text names."""
    return set(re.findall(r"`(test_\w+)`", text))


def test_every_check_has_its_row_and_every_row_a_file_of_tests() -> None:
    assert [int(number) for number, _ in ROWS] == list(range(1, 27))
    for number, held_by in ROWS:
        assert named_files(held_by), f"check {number} is held by no test"


def test_the_contents_list_every_section_in_order() -> None:
    sections = re.findall(r"^## (.+)$", RELIABILITY, flags=re.MULTILINE)
    listed = re.findall(r"^\d+\. \[(.+)\]\(#(.+)\)$", RELIABILITY, flags=re.MULTILINE)
    anchors = [re.sub(r"[^a-z0-9 -]", "", name.lower()).replace(" ", "-") for name in sections]
    assert listed == list(zip(sections, anchors, strict=True))


def test_every_promise_is_held_by_a_test() -> None:
    tables = [table for table in RELIABILITY.split("\n\n") if table.startswith("| promise | test |")]
    rows = sum(len(table.strip().splitlines()) - 2 for table in tables)
    assert len(PROMISES) == rows > 40


@pytest.mark.parametrize("text", [CHECKS, RELIABILITY], ids=["checks", "reliability"])
def test_every_test_that_is_named_is_in_a_file_that_is_named(text: str) -> None:
    assert sorted(name for name in named_files(text) if not (ROOT / "tests" / name).exists()) == []
    code = "".join((ROOT / "tests" / name).read_text(encoding="utf-8") for name in sorted(named_files(text)))
    assert named_tests(text)
    assert sorted(test for test in named_tests(text) if f"def {test}(" not in code) == []
