"""What every simulated object says about patient, study, series and scanner; it never hides what it is."""

from dataclasses import dataclass

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from pipeline.phantom.identity import part_uid
from pipeline.phantom.scan import Phantom

_DAY = "20250101"
_FIRST_MINUTE = 9 * 60


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """One simulated study in one scanner's manner.

    `layout` shapes the UIDs, `maker` is the Manufacturer written.
    """

    phantom: Phantom
    patient_id: str
    study_uid: str
    layout: str
    maker: str

    def part_uid(self, *role: object) -> str:
        """The UID of a part of this study in this layout."""
        return part_uid(self.study_uid, role[0], self.layout, *role[1:])

    @property
    def frame_of_reference_uid(self) -> str:
        """All acquisitions share one."""
        return part_uid(self.study_uid, "frame of reference")


@dataclass(frozen=True, slots=True)
class Series:
    """One series: its number, its role in the study, and how a technologist would call it."""

    number: int
    role: tuple[object, ...]
    description: str


def new_dataset(
    examination: Examination, series: Series, sop_class_uid: str, sop_instance_uid: str
) -> Dataset:
    """A dataset with everything that is not the image."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = sop_class_uid
    dataset.SOPInstanceUID = sop_instance_uid
    _patient_and_study(dataset, examination)
    _series_and_scanner(dataset, examination, series)
    return dataset


def _patient_and_study(dataset: Dataset, examination: Examination) -> None:
    dataset.PatientName = f"PHANTOM^{examination.phantom.heart.seed:05d}"
    dataset.PatientID = examination.patient_id
    dataset.PatientBirthDate = ""
    dataset.PatientSex = "O"
    dataset.PatientComments = "Simulated phantom, not a patient"
    dataset.StudyInstanceUID = examination.study_uid
    dataset.StudyID = "PHANTOM"
    dataset.StudyDate, dataset.StudyTime = _DAY, _clock(0)
    dataset.StudyDescription = "Simulated cardiac MR phantom"
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""


def _series_and_scanner(dataset: Dataset, examination: Examination, series: Series) -> None:
    dataset.Modality = "MR"
    dataset.SeriesInstanceUID = examination.part_uid("series", *series.role)
    dataset.SeriesNumber = series.number
    dataset.SeriesDate, dataset.SeriesTime = _DAY, _clock(series.number)
    dataset.ContentDate, dataset.ContentTime = _DAY, _clock(series.number)
    dataset.SeriesDescription = series.description
    dataset.ProtocolName = series.description
    dataset.PatientPosition = "HFS"
    dataset.BodyPartExamined = "HEART"
    dataset.Manufacturer = examination.maker
    dataset.ManufacturerModelName = "Analytic heart phantom"
    dataset.DeviceSerialNumber = "0"
    dataset.SoftwareVersions = "dicom-node phantom"
    dataset.FrameOfReferenceUID = examination.frame_of_reference_uid
    dataset.PositionReferenceIndicator = ""
    dataset.LossyImageCompression = "00"


def decimal(value: float) -> str:
    """A decimal string (VR DS, 16 characters at most) with six places, as geometry is rounded to."""
    return f"{value:.6f}"


def _clock(minute: int) -> str:
    hours, minutes = divmod(_FIRST_MINUTE + minute, 60)
    return f"{hours % 24:02d}{minutes:02d}00"
