"""Pointing from the volume back into the files, where a slice may be stored the other way round."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from models import Prediction
from pipeline import CineVolume, assemble, find_stack, read_study
from reports import build_reports
from reports.charset import text_of
from reports.draft import Draft
from reports.source_pixel import source_pixel
from tests.pipeline.files import write_cine
from tests.reports.scans import context_of, model
from tests.reports.tree import named

PHASES = 20


def reverse(path: Path, *, columns: bool) -> None:
    """Store the same pixels at the same places in the patient, counted from the other end."""
    image = dcmread(path)
    cosines = np.array(image.ImageOrientationPatient, dtype=float)
    along, spacing, pixels = (
        (cosines[:3], image.PixelSpacing[1], image.Columns)
        if columns
        else (cosines[3:], image.PixelSpacing[0], image.Rows)
    )
    corner = np.array(image.ImagePositionPatient, dtype=float) + along * float(spacing) * (pixels - 1)
    stored = image.pixel_array[:, ::-1] if columns else image.pixel_array[::-1]
    turned = [*(-cosines[:3]), *cosines[3:]] if columns else [*cosines[:3], *(-cosines[3:])]
    image.ImageOrientationPatient = [f"{cosine:.8f}" for cosine in turned]
    image.ImagePositionPatient = [f"{mm:.6f}" for mm in corner]
    image.PixelData = stored.tobytes()
    image.save_as(path)


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Draft:
    """Four slices of 4 x 6 pixels, two of them reversed; the attention is on pixel (1, 4) of slice 1."""
    times = [40.0 * phase for phase in range(PHASES)]
    paths = write_cine(tmp_path_factory.mktemp("turned"), [times] * 4, [800.0] * 4)
    for path in paths[PHASES : 2 * PHASES]:
        reverse(path, columns=True)
    for path in paths[2 * PHASES : 3 * PHASES]:
        reverse(path, columns=False)
    study = read_study(paths)
    volume = assemble(study, find_stack(study.facts), allow_missing=False)
    attention = np.zeros(volume.voxels.shape, np.float32)
    attention[3, 1, 1, 4] = 1.0
    answer = Prediction(model(), 0.9, 0.5, attention, "Made up.")
    return Draft.of(context_of(volume, study, answer))


def places(volume: CineVolume) -> Iterator[tuple[int, int, int]]:
    return product(*(range(size) for size in volume.voxels.shape[1:]))


def test_every_voxel_is_found_in_the_file_it_was_read_from(turned: Draft) -> None:
    volume, study = turned.context.volume, turned.context.study
    for slice_, row, column in places(volume):
        pixel = source_pixel(turned, 3, slice_, row, column)
        stored = dcmread(study.instance_of(pixel.plane.sop_instance_uid).path).pixel_array
        assert stored[pixel.row, pixel.column] == volume.voxels[3, slice_, row, column]


def test_the_report_points_at_the_pixel_as_its_file_stores_it(turned: Draft) -> None:
    point = named(build_reports(turned.context)[0].dataset, "SCAR-PROB")[0].ContentSequence[0]
    uid = text_of(point.ContentSequence[0].ReferencedSOPSequence[0], "ReferencedSOPInstanceUID")
    column, row = (int(value) for value in point.GraphicData)
    stored = dcmread(turned.context.study.instance_of(uid).path).pixel_array
    assert stored[row, column] == turned.context.volume.voxels[3, 1, 1, 4]
