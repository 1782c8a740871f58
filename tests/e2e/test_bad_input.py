"""Studies that break the rules, all sent to one node: each ends in a sentence, and the good one is reported."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from dicom_node.delivery.sender import find_files, send_files
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from tests.e2e.conftest import Site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.peers("Orthanc"),
    pytest.mark.filterwarnings("ignore:Invalid value for VR"),
    pytest.mark.filterwarnings("ignore:The value length"),
]

SMALL = Scan(slices=7, phases=10, matrix=(72, 72))


@dataclass(frozen=True)
class Case:
    """What is done to every image of a small phantom study, and how the node must take it."""

    spoil: Callable[[Dataset], None]
    state: str
    reason: str = ""
    scan: Scan = field(default=SMALL)
    notice: bool = False


def _wrong_rows(ds: Dataset) -> None:
    ds.Rows = 71


def _no_geometry(ds: Dataset) -> None:
    del ds.ImagePositionPatient
    del ds.ImageOrientationPatient


def _nan_rescale(ds: Dataset) -> None:
    ds.RescaleIntercept = "0"
    ds["RescaleIntercept"]._value = None
    ds.add_new(0x00281053, "LO", "NaN")


def _huge(ds: Dataset) -> None:
    ds.Rows = ds.Columns = 65535


def _traversal(ds: Dataset) -> None:
    ds.add_new(0x0020000D, "LO", "../../x")
    ds["StudyInstanceUID"].VR = "UI"


def _long_text(ds: Dataset) -> None:
    ds.add_new(0x00081030, "UT", "x" * 100_000)


def _japanese(ds: Dataset) -> None:
    ds.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    ds.PatientName = "Yamada^Tarou=山田^太郎"


def _nothing(ds: Dataset) -> None:
    del ds.SeriesDescription


CASES = {
    "one-slice": Case(_nothing, "rejected", "slice", Scan(slices=1, phases=10, matrix=(72, 72)), notice=True),
    "seven-phases": Case(
        _nothing, "rejected", "7 phases", Scan(slices=7, phases=7, matrix=(72, 72)), notice=True
    ),
    "wrong-rows": Case(_wrong_rows, "rejected", "the header promises 10224"),
    "no-geometry": Case(_no_geometry, "rejected", "no position"),
    "nan-rescale": Case(_nan_rescale, "rejected", "rescale", notice=True),
    "huge-dimensions": Case(_huge, "rejected", "65535"),
    "uid-like-a-path": Case(_traversal, "delivered"),
    "long-text": Case(_long_text, "delivered"),
    "japanese-name": Case(_japanese, "delivered"),
    "good": Case(_nothing, "delivered"),
}


@dataclass(frozen=True)
class Sent:
    """The studies as they were sent, and how they ended."""

    site: Site
    uids: dict[str, str]


def send(site: Site, paths: list[Path]) -> None:
    """Send files, or folders of them, to the node, which must take them all."""
    files, skipped = find_files(paths)
    assert skipped == []
    results = send_files(files, ("127.0.0.1", site.node.port), site.node.ae_title, "TEST", lambda _: None)
    assert {result.status for result in results} == {0x0000}, (
        paths,
        [r.reason for r in results if r.status != 0][:3],
    )


@pytest.fixture(scope="module")
def sent(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """Every case sent in one go, the good study last, and all of them settled."""
    uids = {}
    for seed, (name, case) in enumerate(CASES.items()):
        folder = tmp_path_factory.mktemp(name)
        for path in write_dicom(render(draw_heart(seed), case.scan), folder, Layout.GE):
            dataset = dcmread(path)
            case.spoil(dataset)
            dataset.save_as(path)
        uids[name] = str(dcmread(path).StudyInstanceUID)
        send(site, [folder])
    for uid in uids.values():
        site.node.settled(uid, "delivered", "rejected", "failed")
    return Sent(site, uids)


@pytest.mark.parametrize("name", CASES)
def test_each_study_ends_as_it_should_and_says_why(sent: Sent, name: str) -> None:
    view = sent.site.node.show(sent.uids[name])
    case = CASES[name]
    assert view["job"]["state"] == case.state, view["job"]["reason"]
    assert case.reason in view["job"]["reason"]
    if case.state == "rejected":
        made = [result["kind"] for result in view["results"]]
        assert made == (["notice", "notice-page"] if case.notice else [])


def test_a_name_in_kanji_is_the_same_in_the_report(sent: Sent) -> None:
    reports = [
        sr for sr in sent.site.pacs.datasets("SR") if sr.StudyInstanceUID == sent.uids["japanese-name"]
    ]
    assert [report.PatientName.ideographic for report in reports] == ["山田^太郎"] * 2


def test_nothing_was_written_outside_the_archive(sent: Sent) -> None:
    data = sent.site.node.folder / "data"
    names = {path.name for path in data.rglob("*")} | {path.name for path in data.parent.iterdir()}
    assert "x" not in names
    assert not (Path(data.parent) / "x").exists()


def test_the_archive_is_told_of_a_study_without_a_result_until_there_is_one(
    sent: Sent, tmp_path: Path
) -> None:
    node, pacs = sent.site.node, sent.site.pacs
    files = sorted(write_dicom(render(draw_heart(50), SMALL), tmp_path, Layout.GE))
    header = dcmread(files[0], stop_before_pixels=True)
    study, mark = str(header.StudyInstanceUID), node.mark()
    send(sent.site, files[:30])
    node.settled(study, "rejected", since=mark)
    node.wait_for("delivery-tried", kind="notice-page", state="sent", since=mark)
    [notice] = [one for one in pacs.datasets("SR") if one.StudyInstanceUID == study]
    assert (notice.PatientID, notice.SeriesDescription) == (
        header.PatientID,
        "Not analysed: RESEARCH USE ONLY",
    )
    said = node.run("show", study).stdout
    assert "not analysed; a notice says so: notice to orthanc sent" in said
    assert "3 slices; between 6 and 40 needed" in said

    send(sent.site, files[30:])
    node.settled(study, "delivered", since=mark)
    reports = [one for one in pacs.datasets("SR") if one.StudyInstanceUID == study]
    named = [_predecessors(one) for one in reports if one.SOPInstanceUID != notice.SOPInstanceUID]
    assert [str(notice.SOPInstanceUID)] in named
    assert node.show(study)["notice"] == ""


def _predecessors(report: Dataset) -> list[str]:
    """What the report says it replaces."""
    return [
        str(one.ReferencedSOPInstanceUID)
        for study in report.get("PredecessorDocumentsSequence", [])
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    ]
