"""The report as a terminal shows it."""

import io
import subprocess
import sys
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from reports import build_reports, sr_text
from tests.reports.scans import small_context


def read_back(dataset: Dataset) -> Dataset:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return dcmread(io.BytesIO(buffer.getvalue()))


def test_the_text_says_what_the_tree_says(tmp_path: Path) -> None:
    lines = sr_text(read_back(build_reports(small_context(tmp_path))[0].dataset)).splitlines()
    assert lines[0] == "Imaging Measurement Report"
    assert "  Patient: Nightingale^Florence N-1820" in lines
    assert "  State: COMPLETE, PRELIMINARY, UNVERIFIED" in lines
    assert "      Probability of myocardial scar: 87.3 %" in lines
    assert "        Source: POINT 20.5, 30.5" in lines
    assert "    Scarred Myocardium: Present" in lines
    assert "      20 x MR Image Storage" in lines


def test_text_is_the_same_from_memory_and_from_a_file(tmp_path: Path) -> None:
    document = build_reports(small_context(tmp_path))[0].dataset
    assert sr_text(document) == sr_text(read_back(document))


def test_control_characters_do_not_reach_the_terminal() -> None:
    item, concept, root = Dataset(), Dataset(), Dataset()
    concept.CodeMeaning = "Comment"
    item.ValueType, item.ConceptNameCodeSequence, item.TextValue = "TEXT", [concept], "red\x1b[31m\x07alert"
    root.ContentSequence = [item]
    assert "\x1b" not in sr_text(root)
    assert "  Comment: red [31m alert" in sr_text(root).splitlines()


def test_an_unfinished_tree_is_still_text() -> None:
    root = Dataset()
    for value_type in ("NUM", "CODE", "IMAGE", "SCOORD", "UIDREF", "MYSTERY"):
        item = Dataset()
        item.ValueType = value_type
        root.ContentSequence = [*root.get("ContentSequence", ()), item]
    text = sr_text(root)
    assert "not measured" in text
    assert "a reference that is missing" in text


def test_printing_and_recasting_load_no_framework() -> None:
    script = "import sys, reports; print([m for m in ('highdicom', 'matplotlib', 'keras', 'tensorflow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"
