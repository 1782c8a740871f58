"""Long-axis views made of a header alone, for studies that have them."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from pipeline import CineVolume, Instance, InstanceFacts, Study


def plane(description: str, normal: np.ndarray, point: tuple[float, float, float], series: str) -> Instance:
    across = np.cross(normal, [0.3, 0.5, 0.8])
    across /= np.linalg.norm(across)
    header = Dataset()
    header.SeriesInstanceUID = series
    header.SeriesDescription = description
    header.ImageOrientationPatient = [*across, *np.cross(normal, across)]
    header.ImagePositionPatient = list(np.asarray(point) + 40 * across)
    return of_header(header)


def study_of(*instances: Instance) -> Study:
    return Study("1.2.3", instances)


def tilted(volume: CineVolume, degrees: float) -> np.ndarray:
    _, down, right = (np.asarray(direction) for direction in volume.geometry.directions)
    return down * np.cos(np.radians(degrees)) + right * np.sin(np.radians(degrees))


def of_header(header: Dataset) -> Instance:
    facts = InstanceFacts(
        study_instance_uid="1.2.3",
        series_instance_uid=header.SeriesInstanceUID,
        sop_instance_uid=f"{header.SeriesInstanceUID}.1",
        sop_class_uid=MRImageStorage,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        series_description=header.SeriesDescription,
    )
    return Instance(Path("x"), facts, header)
