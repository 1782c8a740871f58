"""A report on a map that is not attention says so."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread

from dicom_node.analysis.analyse import analyse
from dicom_node.analysis.engine import AnalysisRequest
from models import Explain, Method, load_bundle
from pipeline import assemble, find_stack, read_study
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from reports import sr_text
from tests.dicom_node.rows import START
from tests.models.drawn_bundle import drawn_bundle
from tests.reports.scans import EQUIPMENT

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of a study of 6 slices x 8 phases."""
    seen = render(draw_heart(3), Scan(slices=6, phases=8, matrix=(64, 64), spacing_mm=3.0))
    return sorted(write_dicom(seen, tmp_path_factory.mktemp("phantom"), Layout.GE))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network as first released, whose attention is 1 everywhere."""
    return drawn_bundle(tmp_path_factory.mktemp("released") / "bundle", "stran-ref")


def asked(files: list[Path], **changes: object) -> AnalysisRequest:
    study = str(dcmread(files[0], stop_before_pixels=True).StudyInstanceUID)
    request = AnalysisRequest(study, tuple(files), Path("unwritten"), START, EQUIPMENT)
    return replace(request, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("explain", ["auto", "attention"])
def test_the_released_network_is_refused_attention_and_explained_by_grad_cam(
    explain: Explain, released: Path, phantom: list[Path]
) -> None:
    study = read_study(phantom)
    answer = load_bundle(released, explain=explain).predict(
        assemble(study, find_stack(study.facts), allow_missing=False), study
    )
    assert answer.explained_by is Method.GRADCAM
    assert answer.attention is not None
    assert "this model exposes no attention that means anything" in answer.notes[-1]


def test_its_report_says_grad_cam_and_nowhere_attention_map(released: Path, phantom: list[Path]) -> None:
    made = analyse(asked(phantom), load_bundle(released))
    documents = {report.kind: report.dataset for report in made.reports if report.kind in ("sr", "text")}
    assert set(documents) == {"sr", "text"}
    for document in documents.values():
        said = sr_text(document)
        assert "The map is made by Grad-CAM and shows no attention." in said
        assert "attention map" not in str(document).lower()
        assert "looked" not in said
