"""One report under the three SR classes an archive may know."""

import io
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    EnhancedSRStorage,
    MRImageStorage,
)

from reports import SR_CLASSES, PriorReport, ReportError, as_sr_class, build_reports
from reports.context import stable_uid
from reports.sr_class import recast_uid
from tests.peers import dciodvfy, dsrdump
from tests.reports.scans import small_context
from tests.reports.tree import faults

PRIOR = PriorReport(Comprehensive3DSRStorage, stable_uid("old sr"), stable_uid("old series"))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return build_reports(small_context(tmp_path_factory.mktemp("sr"), priors=(PRIOR,)))[0].dataset


def saved(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.peers("dciodvfy", "dsrdump")
@pytest.mark.parametrize("sop_class", SR_CLASSES, ids=lambda uid: uid.name)
def test_the_report_is_valid_under_every_class(original: Dataset, sop_class: str, tmp_path: Path) -> None:
    path = tmp_path / "sr.dcm"
    path.write_bytes(saved(as_sr_class(original, sop_class)))
    assert dciodvfy(path) == []
    assert "Probability of myocardial scar" in dsrdump(path)
    assert faults(dcmread(path)) == []


def test_file_meta_and_dataset_agree(original: Dataset) -> None:
    recast = as_sr_class(original, EnhancedSRStorage)
    meta = recast.file_meta
    assert meta.MediaStorageSOPClassUID == recast.SOPClassUID == EnhancedSRStorage
    assert meta.MediaStorageSOPInstanceUID == recast.SOPInstanceUID


def test_each_class_has_its_own_uid_and_always_the_same(original: Dataset) -> None:
    uids = {str(as_sr_class(original, sop_class).SOPInstanceUID) for sop_class in SR_CLASSES}
    assert len(uids) == 3
    again = as_sr_class(dcmread(io.BytesIO(saved(original))), ComprehensiveSRStorage)
    assert saved(again) == saved(as_sr_class(original, ComprehensiveSRStorage))


def test_the_original_is_left_as_it_was(original: Dataset) -> None:
    before = saved(original)
    as_sr_class(original, ComprehensiveSRStorage)
    assert saved(original) == before
    assert saved(as_sr_class(original, Comprehensive3DSRStorage)) == before


def test_a_predecessor_is_named_as_the_same_archive_got_it(original: Dataset) -> None:
    recast = as_sr_class(original, ComprehensiveSRStorage)
    reference = recast.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert reference.ReferencedSOPClassUID == ComprehensiveSRStorage
    assert reference.ReferencedSOPInstanceUID == recast_uid(PRIOR.sop_instance_uid, ComprehensiveSRStorage)


def test_nothing_but_a_report_can_be_recast(original: Dataset) -> None:
    with pytest.raises(ReportError, match="MR Image Storage"):
        as_sr_class(original, MRImageStorage)
    picture = Dataset()
    picture.SOPClassUID = MRImageStorage
    with pytest.raises(ReportError, match="MR Image Storage"):
        as_sr_class(picture, EnhancedSRStorage)
