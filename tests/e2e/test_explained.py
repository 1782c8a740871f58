"""A node whose model is explained by Grad-CAM: its report says so in words and codes, and comes out the same again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from dicom_node.delivery.sender import find_files, send_files
from models import Method
from models.explanation.verdict import Verdict
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from reports import sr_text
from tests.e2e.node import ServedNode, study_uid
from tests.models.drawn_bundle import drawn_bundle

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

SEGMENTED = Scan(slices=8, phases=8, matrix=(64, 64), spacing_mm=3.0)
TAKEN_FOR_GRANTED = {Method.GRADCAM: Verdict(True, "taken for granted in tests", 1.0, 1.0, 0.0)}


def coded(dataset: Dataset) -> Iterator[str]:
    """The concept names of a document's numbers."""
    for item in dataset.get("ContentSequence", ()):
        if item.ValueType == "NUM":
            yield str(item.ConceptNameCodeSequence[0].CodeValue)
        yield from coded(item)


def test_the_segments_bear_the_code_of_grad_cam_and_the_analysis_comes_out_the_same_again(
    tmp_path: Path,
) -> None:
    drawn_bundle(tmp_path / "bundle", "temporal", explanations=TAKEN_FOR_GRANTED)
    (tmp_path / "scanner").mkdir()
    files = write_dicom(render(draw_heart(7), SEGMENTED), tmp_path / "scanner", Layout.SIEMENS)
    chosen = {"bundle": str(tmp_path / "bundle"), "explain": "gradcam"}
    with ServedNode(tmp_path / "node", model=chosen) as node:
        found, _ = find_files(files)
        results = send_files(found, ("127.0.0.1", node.port), node.ae_title, "TEST", lambda _: None)
        assert {result.status for result in results} == {0x0000}
        study = study_uid(files)
        node.settled(study, "delivered")
        objects = {
            path: dcmread(path, stop_before_pixels=True) for path in (node.data / "results").rglob("*.dcm")
        }
        reports = [path for path, one in objects.items() if "130403" in coded(one)]
        assert len(reports) == 1
        said = sr_text(dcmread(reports[0]))
        assert "The map is made by Grad-CAM and shows no attention." in said
        assert "130404" not in coded(objects[reports[0]])
        verified = node.run("trace", str(reports[0]), "--verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert "identical" in verified.stdout
