"""Our proof proves something: a report broken on purpose is caught, and by whom."""

import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from reports import build_reports
from tests.peers import dciodvfy
from tests.peers.presence import program
from tests.reports.scans import small_context
from tests.reports.tree import faults, items, named


def _drop(document: Dataset, value: str) -> None:
    for parent in (document, *items(document)):
        kept = [child for child in parent.get("ContentSequence", ()) if child not in named(document, value)]
        if "ContentSequence" in parent:
            parent.ContentSequence = kept


def no_completion_flag(document: Dataset) -> None:
    del document.CompletionFlag


def verified_by_nobody(document: Dataset) -> None:
    document.VerificationFlag = "VERIFIED"


def no_device_observer_uid(document: Dataset) -> None:
    _drop(document, "121012")


def no_units(document: Dataset) -> None:
    del named(document, "SCAR-PROB")[0].MeasuredValueSequence[0].MeasurementUnitsCodeSequence


def not_a_number(document: Dataset) -> None:
    value = named(document, "SCAR-PROB")[0].MeasuredValueSequence[0]
    value[0x0040A30A] = DataElement(0x0040A30A, "LO", "often", already_converted=True)
    value[0x0040A30A].VR = "DS"


def cited_image_without_evidence(document: Dataset) -> None:
    point = named(document, "SCAR-PROB")[0].ContentSequence[0]
    point.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "1.2.3.4"


def wrong_relationship(document: Dataset) -> None:
    named(document, "SCAR-PROB")[0].RelationshipType = "HAS PROPERTIES"


def no_algorithm_version(document: Dataset) -> None:
    _drop(document, "111003")


def wrong_meaning(document: Dataset) -> None:
    named(document, "122411")[0].ConceptNameCodeSequence[0].CodeMeaning = "Probability"


def no_template(document: Dataset) -> None:
    del document.ContentTemplateSequence


def names_hidden(document: Dataset) -> None:
    named(document, "C0034375")[0].ContinuityOfContent = "CONTINUOUS"


def no_point(document: Dataset) -> None:
    number = named(document, "SCAR-PROB")[0]
    number.ContentSequence = [child for child in number.ContentSequence if child.ValueType != "SCOORD"]


def probability_as_a_fraction(document: Dataset) -> None:
    units = named(document, "SCAR-PROB")[0].MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0]
    units.CodeValue, units.CodeMeaning = "1", "no units"


MUTATIONS: dict[Callable[[Dataset], None], set[str]] = {
    no_completion_flag: {"dciodvfy", "ours"},
    verified_by_nobody: {"dciodvfy", "ours"},
    no_device_observer_uid: {"ours"},
    no_units: {"dciodvfy", "dsrdump", "ours"},
    not_a_number: {"dciodvfy", "dsrdump", "ours"},
    cited_image_without_evidence: {"dciodvfy", "ours"},
    wrong_relationship: {"dsrdump"},
    no_algorithm_version: {"ours"},
    wrong_meaning: {"ours"},
    no_template: {"ours"},
    names_hidden: {"ours"},
    no_point: {"ours"},
    probability_as_a_fraction: {"ours"},
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return build_reports(small_context(tmp_path_factory.mktemp("sound")))[0].dataset


@pytest.mark.peers("dciodvfy", "dsrdump")
@pytest.mark.parametrize(("break_it", "catchers"), MUTATIONS.items(), ids=[m.__name__ for m in MUTATIONS])
def test_a_broken_report_is_caught(
    sound: Dataset, tmp_path: Path, break_it: Callable[[Dataset], None], catchers: set[str]
) -> None:
    document = deepcopy(sound)
    break_it(document)
    path = tmp_path / "broken.dcm"
    document.save_as(path, enforce_file_format=True)
    dumped = subprocess.run([program("dsrdump"), str(path)], capture_output=True, check=False)
    caught = {
        "dciodvfy": bool(dciodvfy(path)),
        "dsrdump": dumped.returncode != 0,
        "ours": bool(faults(document)),
    }
    assert {name for name, found in caught.items() if found} == catchers
