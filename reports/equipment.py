"""Who made the result: the scanner, the libraries, the model (PS3.3 C.12.1, IHE AIR 6.5.3.1)."""

from collections.abc import Iterable

from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from models import ModelIdentity
from reports import codes
from reports.context import Equipment, stable_uid
from reports.header import scanner
from reports.paper import Paper

_SHORT_TEXT = 1024


def model_device_uid(model: ModelIdentity) -> str:
    """The Device UID of the algorithm: another one for other weights or another preprocessing (AIR)."""
    return stable_uid("model", model.weights_sha256, model.preprocessing_sha256)


def contributing_equipment(paper: Paper, others: Iterable[Dataset], when: str) -> list[Dataset]:
    """The items of Contributing Equipment Sequence: the scanner, `others`, and our model last if it answered.

    `when` is a DT value.
    """
    made_images = scanner(paper.source_header)
    made_images.PurposeOfReferenceCodeSequence = [coded(codes.ACQUISITION_EQUIPMENT)]
    answered = [] if paper.model is None else [_processing(paper.model, paper.equipment)]
    items = [made_images, *others, *answered]
    for item in items[1:]:
        item.ContributionDateTime = when
    return items


def author_observer(equipment: Equipment) -> Dataset:
    """The item of Author Observer Sequence (PS3.3 C.17.2): a device wrote the document."""
    item = Dataset()
    item.ObserverType = "DEV"
    item.StationName = equipment.station_name
    item.DeviceUID = equipment.device_uid
    item.Manufacturer = equipment.manufacturer
    item.ManufacturerModelName = equipment.model_name
    item.InstitutionName = ""
    item.InstitutionCodeSequence = []
    return item


def coded(code: Code) -> Dataset:
    """A code as a sequence item (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item


def _processing(model: ModelIdentity, equipment: Equipment) -> Dataset:
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [coded(codes.PROCESSING_EQUIPMENT)]
    item.Manufacturer = equipment.manufacturer
    item.StationName = equipment.station_name
    item.ManufacturerModelName = model.name[:64]
    item.DeviceSerialNumber = equipment.serial_number
    item.SoftwareVersions = model.version[:64]
    item.DeviceUID = model_device_uid(model)
    item.ContributionDescription = (
        f"weights sha256 {model.weights_sha256}, preprocessing sha256 {model.preprocessing_sha256}"
    )[:_SHORT_TEXT]
    return item
