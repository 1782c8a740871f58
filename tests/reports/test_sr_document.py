"""What surrounds the tree of every structured report."""

from pathlib import Path

import pytest
from highdicom import sr

from reports import ReportError, codes
from reports.draft import Draft
from reports.evidence import source_instances
from reports.sr_document import Place, opening, structured_report
from tests.reports.scans import small_context


def test_a_tree_that_cites_what_is_not_in_its_evidence_becomes_no_report(tmp_path: Path) -> None:
    draft = Draft.of(small_context(tmp_path))
    first, second = source_instances(draft)[:2]
    root = sr.ContainerContentItem(codes.MRI_REPORT, template_id="2000")
    image = sr.ImageContentItem(
        codes.SOURCE_IMAGE, second.sop_class_uid, second.sop_instance_uid, relationship_type="CONTAINS"
    )
    root.ContentSequence = sr.ContentSequence([*opening(draft), image])
    place = Place("text", 900, "report")
    with pytest.raises(ReportError, match="cites 1 objects that are not among its evidence"):
        structured_report(draft, root, [first], place)
    whole = structured_report(draft, root, [first, second], place)
    assert whole.ContentSequence[-1].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == (
        second.sop_instance_uid
    )
