"""A PACS that routes everything it gets back to us: our own results are accepted, and start nothing."""

from pathlib import Path

import pytest

from dicom_node.intake.index import Index
from dicom_node.store import Store
from pipeline.phantom import Layout
from reports import AttentionImages
from tests.dicom_node.receiving import receiver
from tests.dicom_node.rows import START
from tests.peers.dcmtk import storescu
from tests.reports.made import make
from tests.reports.studies import Source


@pytest.mark.peers("storescu")
@pytest.mark.parametrize("images", ["key_phase", "all_phases"])
def test_our_own_results_are_accepted_and_make_no_job(
    store: Store, tmp_path: Path, images: AttentionImages
) -> None:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    made = make(Source(Layout.ENHANCED).write(tmp_path / "in"), tmp_path / "out", images)
    with receiver(tmp_path / "archive") as node:
        ran = storescu(made.files, node.port, "DICOMNODE", options=["-R"])
        assert ran.statuses == ["Success"] * len(made.files), ran.output
        closed = node.event("closed")
        assert closed["stored"] == len(made.files)
        rebuilt = Index(node.archive, store).rebuild(START)
    assert rebuilt.taken == len(made.files)
    assert store.job(made.study.uid) is None
    assert sum(series.discarded for series in store.series(made.study.uid)) == len(made.files)
    assert store.facts(made.study.uid) == []
