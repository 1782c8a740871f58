"""Result files: named by hashes, whole, and the same for the same report."""

import hashlib
import re
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from dicom_node.analysis.results import write_results
from reports import Report


def report(uid: str = "2.25.1", study: str = "1.2.3", comment: str = "") -> Report:
    dataset = Dataset()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = uid
    dataset.SeriesInstanceUID = "2.25.7"
    dataset.StudyInstanceUID = study
    dataset.ImageComments = comment
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return Report("summary", dataset)


def test_a_written_report_is_part_10_and_described_as_it_is(tmp_path: Path) -> None:
    (file,) = write_results([report(comment="hello")], tmp_path)
    content = (tmp_path / file.path).read_bytes()
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert file.size == len(content)
    back = dcmread(tmp_path / file.path)
    assert back.ImageComments == "hello"
    assert file.sop_class_uid == back.file_meta.MediaStorageSOPClassUID == SecondaryCaptureImageStorage
    assert file.sop_instance_uid == back.file_meta.MediaStorageSOPInstanceUID == "2.25.1"
    assert (file.kind, file.series_instance_uid, file.study_instance_uid) == ("summary", "2.25.7", "1.2.3")


def test_equal_reports_are_one_file_and_different_ones_two(tmp_path: Path) -> None:
    first = write_results([report()], tmp_path)
    assert write_results([report()], tmp_path) == first
    (other,) = write_results([report(comment="changed")], tmp_path)
    assert other.path != first[0].path
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.dcm")} == {
        first[0].path,
        other.path,
    }


@pytest.mark.parametrize("uid", ["../../escaped", "/etc/passwd", "1.2\0.3", "1" * 300])
def test_no_uid_shapes_a_path(tmp_path: Path, uid: str) -> None:
    root = tmp_path / "a" / "b" / "results"
    (file,) = write_results([report(uid, study=uid)], root)
    assert re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{40}/[0-9a-f]{40}-[0-9a-f]{16}\.dcm", file.path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [root / file.path]


def test_what_a_dead_process_left_half_written_is_removed(tmp_path: Path) -> None:
    (file,) = write_results([report()], tmp_path)
    leftover = (tmp_path / file.path).parent / ".tmp-999999-0"
    leftover.write_bytes(b"half")
    write_results([report("2.25.2")], tmp_path)
    assert not leftover.exists()


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    root = tmp_path / "results"
    root.write_text("a file where a folder should be")
    with pytest.raises(OSError, match="results"):
        write_results([report()], root)
