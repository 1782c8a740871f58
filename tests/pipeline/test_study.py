"""A study is its readable files."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread

from pipeline import ContradictoryStudy, UnreadableInstance, read_study

Files = Callable[[str], list[Path]]
pytestmark = pytest.mark.data


def test_headers_are_there_and_pixels_are_not(sunnybrook: Files) -> None:
    study = read_study(sunnybrook("SC-HF-I-4")[:3])
    assert len(study.instances) == len(study.facts) == 3
    header = study.header_of(study.facts[1].sop_instance_uid)
    assert header.InstanceNumber == 2
    assert "PixelData" not in header
    assert study.uid == study.facts[0].study_instance_uid


def test_an_unknown_instance_is_a_key_error(sunnybrook: Files) -> None:
    with pytest.raises(KeyError):
        read_study(sunnybrook("SC-HF-I-4")[:1]).header_of("1.2.3")


def test_the_later_of_two_files_of_one_instance_is_current(sunnybrook: Files, tmp_path: Path) -> None:
    path = sunnybrook("SC-HF-I-4")[0]
    dataset = dcmread(path)
    dataset.SeriesDescription = "again"
    dataset.save_as(tmp_path / "again.dcm")
    study = read_study([path, tmp_path / "again.dcm"])
    assert study.header_of(dataset.SOPInstanceUID).SeriesDescription == "again"
    assert study.instance_of(dataset.SOPInstanceUID).path == tmp_path / "again.dcm"


def test_a_broken_file_does_not_take_the_others_with_it(sunnybrook: Files, tmp_path: Path) -> None:
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"garbage")
    study = read_study([broken, *sunnybrook("SC-HF-I-4")[:2]])
    assert len(study.instances) == 2
    assert len(study.unreadable) == 1


def test_a_study_of_broken_files_is_unreadable(tmp_path: Path) -> None:
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"garbage")
    with pytest.raises(UnreadableInstance):
        read_study([broken])
    with pytest.raises(UnreadableInstance, match="no files"):
        read_study([])


def test_files_of_two_studies_contradict_each_other(sunnybrook: Files) -> None:
    with pytest.raises(ContradictoryStudy, match="2 studies"):
        read_study([sunnybrook("SC-HF-I-4")[0], sunnybrook("SC-HF-I-1")[0]])
