"""What is stepped over in a header, as others had it, is what a walk would have let pass."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import scan
from pipeline.stretches import Stretches
from pipeline.walk import Unusual, walk
from tests.pipeline.files import small_image
from tests.pipeline.test_scan import element, elements

SERIES = 0x0020000E
TAGS = range(0x00030000, 0x7FE00000)


def outcome(head: bytes, stretches: Stretches, *, learn: bool) -> object:
    try:
        found, at, alone = walk(head, 0, len(head), TAGS, stretches)
    except (Unusual, struct.error) as error:
        return type(error)
    if learn:
        stretches.learn((b"", found.get(SERIES, b"")), head, alone, found)
    return found, at


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("stretches") / "plain.dcm"
    small_image().save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    return content[144 + int.from_bytes(content[140:144], "little") :]


@given(
    changes=st.lists(
        st.tuples(st.integers(0, 450), st.binary(min_size=1, max_size=4), st.integers(0, 600)), max_size=6
    )
)
@settings(max_examples=150, deadline=None)
def test_a_walk_over_stretches_accepts_what_a_walk_accepts(
    dataset: bytes, changes: list[tuple[int, bytes, int]]
) -> None:
    warm = Stretches()
    for place, put, cut in [(0, b"", 600), (0, b"", 600), *changes, (0, b"", 600)]:
        head = dataset[:place] + put + dataset[place + len(put) :]
        head = head[:cut] if cut > 300 else head
        assert outcome(head, warm, learn=True) == outcome(head, Stretches(), learn=False)
        assert outcome(head, warm, learn=False) == outcome(head, Stretches(), learn=False)


def test_what_two_images_shared_is_not_walked_again(dataset: bytes) -> None:
    stretches, alone = Stretches(), []
    for number in (b"1 ", b"2 ", b"3 "):
        parts = elements(dataset) | {0x00200013: element(0x00200013, "IS", number)}
        head = b"".join(parts[tag] for tag in sorted(parts))
        found, _, alone = walk(head, 0, len(head), TAGS, stretches)
        stretches.learn((b"", found[SERIES]), head, alone, found)
    assert [tag for tag, _, _ in alone] == [0x00200013]


def test_a_stretch_counts_only_where_its_elements_would(dataset: bytes) -> None:
    stretches = Stretches()
    for _ in range(2):
        outcome(dataset, stretches, learn=True)
    _, end = walked = outcome(dataset, stretches, learn=False)  # type: ignore[misc]
    assert walked == outcome(dataset, Stretches(), learn=False)
    content = dataset[:end]
    assert outcome(content + content, stretches, learn=False) is Unusual
    middle = sum(map(len, list(elements(content).values())[:12]))
    for short, tags in ((end - 8, TAGS), (middle, TAGS), (end, range(TAGS.start, 0x00200000))):
        cold = attempt(content, short, tags, Stretches())
        assert attempt(content, short, tags, stretches) == cold


def attempt(head: bytes, end: int, tags: range, stretches: Stretches) -> object:
    try:
        return walk(head, 0, end, tags, stretches)[:2]
    except Unusual:
        return Unusual


def test_many_series_take_no_more_room_than_few(dataset: bytes) -> None:
    stretches = Stretches()
    for series in range(2000):
        parts = elements(dataset) | {SERIES: element(SERIES, "UI", f"1.2.{series:04d}".encode())}
        head = b"".join(parts[tag] for tag in sorted(parts))
        for _ in range(2):
            outcome(head, stretches, learn=True)
    assert stretches.held < 2**13 + 100


def test_copies_of_a_study_that_come_at_once_are_compared_each_with_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "_STRETCHES", stretches := Stretches())
    image, walked = small_image(), []
    for number in range(10, 14):
        for study in ("1.2.31", "1.2.32"):
            image.InstanceNumber, image.StudyInstanceUID = number, study
            image.save_as(path := tmp_path / "image.dcm", enforce_file_format=True)
            head = path.read_bytes()
            meta_end = 144 + int.from_bytes(head[140:144], "little")
            walked = [tag for tag, _, _ in walk(head, meta_end, len(head), TAGS, stretches)[2]]
            assert scan.scan_file(path)
    assert walked == [0x00200013]
