"""What is made of one prediction, and in which order; the UIDs that are not what they seem."""

from pathlib import Path

from pydicom.dataset import Dataset

from reports import build_reports
from reports.charset import text_of
from reports.context import stable_uid
from reports.stand_in import StandIns
from tests.reports.scans import small_context


def test_the_objects_come_in_the_order_they_are_sent(tmp_path: Path) -> None:
    kinds = [report.kind for report in build_reports(small_context(tmp_path))]
    assert kinds == ["sr", "text", "summary", *["attention"] * 4]


def test_an_invalid_uid_comes_back_as_it_was() -> None:
    ids = StandIns()
    holder, inner = Dataset(), Dataset()
    inner.ReferencedSOPInstanceUID = ids.of("1.2.03")
    holder.StudyInstanceUID = ids.of("../../x")
    holder.SeriesInstanceUID = ids.of("1.2.3")
    holder.ReferencedSOPSequence = [inner]
    plain = ids.undone(holder)
    assert text_of(plain, "StudyInstanceUID") == "../../x"
    assert text_of(plain, "SeriesInstanceUID") == "1.2.3"
    assert text_of(plain.ReferencedSOPSequence[0], "ReferencedSOPInstanceUID") == "1.2.03"


def test_stand_ins_do_not_touch_what_is_valid() -> None:
    assert StandIns().of(stable_uid("anything")) == stable_uid("anything")
