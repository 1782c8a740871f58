"""A file is read once: how it begins, and the digest of all that lies behind its file meta information."""

import hashlib
import os
from pathlib import Path

import pytest

from dicom_node.intake import on_disk
from dicom_node.intake.on_disk import dataset_digest, plain_headers, read_once
from pipeline import Beginning, PlainHeader, UnreadableInstance, read_facts, read_plain
from tests.pipeline.files import small_image

PIECE = 2**18


def part_10(meta_length: int, rest: bytes) -> bytes:
    return bytes(128) + b"DICM\x02\0\0\0UL\x04\0" + meta_length.to_bytes(4, "little") + rest


@pytest.mark.parametrize("size", [0, 1, 40, PIECE - 200, PIECE - 144, PIECE, 3 * PIECE + 7])
@pytest.mark.parametrize("meta_length", [0, 30])
def test_a_digest_is_of_what_lies_behind_the_meta_information(
    tmp_path: Path, size: int, meta_length: int
) -> None:
    rest = os.urandom(size)
    (path := tmp_path / "image.dcm").write_bytes(part_10(meta_length, rest))
    beginning, digest = read_once(path)
    assert digest == dataset_digest(path) == hashlib.sha256(rest[meta_length:]).hexdigest()
    assert beginning.head == path.read_bytes()[:PIECE]
    assert beginning.file_size == path.stat().st_size


@pytest.mark.parametrize("meta_length", [PIECE - 100, PIECE + 100, 3 * PIECE, 2**32 - 1])
def test_meta_information_may_claim_any_length(tmp_path: Path, meta_length: int) -> None:
    rest = os.urandom(2 * PIECE)
    (path := tmp_path / "image.dcm").write_bytes(part_10(meta_length, rest))
    assert dataset_digest(path) == hashlib.sha256(rest[meta_length:]).hexdigest()


@pytest.mark.parametrize("content", [b"", b"DICM", bytes(141)])
def test_a_stub_has_a_digest_and_no_facts(tmp_path: Path, content: bytes) -> None:
    (path := tmp_path / "image.dcm").write_bytes(content)
    beginning, digest = read_once(path)
    assert digest == hashlib.sha256(b"").hexdigest()
    with pytest.raises(UnreadableInstance):
        read_facts(path, read_plain(path, beginning))


def test_facts_of_bytes_that_were_read_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    small_image().save_as(path, enforce_file_format=True)
    beginning, _ = read_once(path)
    facts = read_facts(path)
    path.write_bytes(b"")
    assert read_facts(path, read_plain(path, beginning)) == facts


def test_plain_headers_come_in_the_order_of_their_files(tmp_path: Path) -> None:
    files: list[Path | None] = []
    for number in range(150):
        image = small_image()
        image.SOPInstanceUID = f"1.2.3.4.{number}"
        image.save_as(path := tmp_path / f"{number}.dcm", enforce_file_format=True)
        os.utime(path, (1000, 1000 + number))
        files.append(path)
    found = list(plain_headers(files))
    assert [read_facts(tmp_path / "absent", one) for one in found] == [
        read_facts(path) for path in files if path
    ]
    assert [one.modified_s for one in found if one] == [1000 + number for number in range(150)]


def test_what_has_no_plain_header_keeps_no_other_from_its_own(tmp_path: Path) -> None:
    small_image().save_as(good := tmp_path / "good.dcm", enforce_file_format=True)
    (poor := tmp_path / "poor.dcm").write_bytes(b"no DICOM")
    files = [None, tmp_path / "absent.dcm", tmp_path, poor, good]
    assert [one is not None for one in plain_headers(files)] == [False, False, False, False, True]


def test_a_header_that_no_one_can_take_keeps_no_other_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / "strange.dcm", tmp_path / "good.dcm"]
    for file in files:
        small_image().save_as(file, enforce_file_format=True)

    def strange(file: Path, beginning: Beginning | None = None) -> PlainHeader | None:
        if file.name == "strange.dcm":
            raise ZeroDivisionError
        return read_plain(file, beginning)

    monkeypatch.setattr(on_disk, "read_plain", strange)
    assert [one is not None for one in plain_headers(files)] == [False, True]
