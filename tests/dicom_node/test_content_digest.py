"""Equal is what says the same, however it is encoded; different is whatever says something else."""

import io

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicom_node.delivery.content_digest import content_digest, difference


def specimen() -> Dataset:
    """Text, numbers, pixels, a sequence, and an element whose VR depends on another."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.SOPInstanceUID = "2.25.1"
    dataset.PatientName = "Groß^Jürgen"
    dataset.SliceThickness = "8.0"
    dataset.PixelRepresentation = 0
    dataset.SmallestImagePixelValue = 7
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.BitsAllocated = 8
    dataset.PixelData = b"\1\2\3"
    dataset["PixelData"].VR = "OB"
    item = Dataset()
    item.CodeValue = "A"
    dataset.ConceptNameCodeSequence = [item]
    return dataset


def through(dataset: Dataset, syntax: UID, *, undefined: bool = False) -> Dataset:
    """The dataset after it was written and read."""
    dataset["ConceptNameCodeSequence"].is_undefined_length = undefined
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    whole = io.BytesIO()
    dataset.save_as(whole, enforce_file_format=True)
    whole.seek(0)
    return dcmread(whole)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("undefined", [False, True])
def test_the_encoding_does_not_count(syntax: UID, undefined: bool) -> None:
    there = through(specimen(), syntax, undefined=undefined)
    there.add_new(0xFFFCFFFC, "OB", bytes(4))
    assert content_digest(there) == content_digest(specimen())
    assert difference(specimen(), there) == ""


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientName", "Groß^Juergen"),
        ("SliceThickness", "8"),
        ("SmallestImagePixelValue", 8),
        ("ImageOrientationPatient", [1, 0, 0, 0, 1]),
        ("PixelData", b"\1\2\4"),
        ("SeriesDescription", "new"),
        ("PatientName", ""),
    ],
)
def test_an_element_that_says_something_else_is_named(keyword: str, value: object) -> None:
    there = specimen()
    setattr(there, keyword, value)
    assert difference(specimen(), there) == keyword


def test_an_element_inside_a_sequence_counts() -> None:
    there = specimen()
    there.ConceptNameCodeSequence[0].CodeValue = "B"
    assert difference(specimen(), there) == "ConceptNameCodeSequence"


def test_an_element_that_is_gone_counts_and_many_are_counted() -> None:
    named = difference(specimen(), Dataset())
    assert named.startswith("SpecificCharacterSet, SOPClassUID, SOPInstanceUID, ")
    assert named.endswith(" and 3 more")
