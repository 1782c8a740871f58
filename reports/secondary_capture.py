"""A picture as a Secondary Capture object (PS3.3 A.8.1), with what highdicom's SCImage leaves out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from highdicom.sc import SCImage
from pydicom.uid import ExplicitVRLittleEndian

from pipeline import PlaneSource
from reports.overlay import Picture
from reports.paper import Paper
from reports.source_image import source_image
from reports.wording import research_note, series_description

SERIES_NUMBER: Final = 902


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """What distinguishes one picture of the series from the others."""

    purpose: str
    number: int
    pixels: Picture
    sources: Sequence[PlaneSource]
    derivation: str
    series: str = "attention"


def secondary_capture(paper: Paper, capture: Capture) -> SCImage:
    """The object, not yet sealed. Modality OT: as MR, the routers that feed us would send it back to us."""
    equipment = paper.equipment
    image = SCImage(
        pixel_array=capture.pixels,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=paper.ids.of(paper.study_instance_uid),
        series_instance_uid=paper.uid("sc", "series"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=paper.uid("sc", capture.purpose),
        instance_number=capture.number,
        manufacturer=equipment.manufacturer,
        manufacturer_model_name=equipment.model_name,
        software_versions=equipment.software_version,
        device_serial_number=equipment.serial_number,
        series_description=series_description(paper.model, capture.series),
        patient_birth_date="",
        patient_orientation=("L", "P"),  # the constructor insists; the true statement follows
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set="ISO_IR 192",
    )
    image.PatientOrientation = []  # 2C: empty where orientation is given by cosines, or is none
    _describe(image, paper, capture)
    return image


def _describe(image: SCImage, paper: Paper, capture: Capture) -> None:
    equipment = paper.equipment
    image.ConversionType = "WSD"
    image.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    image.BodyPartExamined = "HEART"  # unpaired, so that Laterality (2C) is not asked for
    image.BurnedInAnnotation = "NO"  # means: no patient identity in the pixels
    image.RecognizableVisualFeatures = "NO"
    image.LossyImageCompression = "00"
    image.ImageComments = research_note(paper.model)
    image.DerivationDescription = capture.derivation[:1024]
    image.SecondaryCaptureDeviceManufacturer = equipment.manufacturer
    image.SecondaryCaptureDeviceManufacturerModelName = equipment.model_name
    image.SecondaryCaptureDeviceSoftwareVersions = equipment.software_version
    image.SourceImageSequence = [source_image(paper, plane) for plane in capture.sources]
