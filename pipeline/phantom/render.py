"""Looks at a heart with a short-axis cine protocol.

Every slice and phase is drawn at once. The walls are tables of radius over angle, one per subplane, that the
pixels look up; averaging over subplanes and ramps one pixel wide give the partial volume of a real image.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.backwards import played
from pipeline.phantom.breath import Breaths, draw_breaths
from pipeline.phantom.heart import Heart
from pipeline.phantom.identity import part_uid, study_uid
from pipeline.phantom.motion import contraction
from pipeline.phantom.paint import painted
from pipeline.phantom.placement import sax_geometry, slice_depths_mm
from pipeline.phantom.planes import Drawing, Planes, draw
from pipeline.phantom.scan import Phantom, Scan, Truth
from pipeline.phantom.signal import receive, sensitivity
from pipeline.phantom.thorax import thorax
from pipeline.phantom.ventricle import Ventricle, solve
from pipeline.volume import CineVolume, PlaneSource

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.float32]

_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"


def render(heart: Heart, scan: Scan | None = None) -> Phantom:
    """The study that `scan` would give of `heart`; deterministic.

    Voxels are whole numbers from 0 to 2047, phase i shows the moment i / phases of the cycle (1 - i / phases
    if it is played backwards), and trigger times are whole milliseconds, so that every DICOM layout carries
    the content exactly.
    """
    scan = scan or Scan()
    breaths = draw_breaths(heart, scan)
    ventricle = solve(heart)
    planes = _planes(heart, scan, breaths)
    drawing = draw(ventricle, scan, planes)
    image = _signal(ventricle, scan, drawing)
    rng = np.random.default_rng((0x4E4F4953, heart.seed))
    voxels = receive(image, scan.noise * heart.signals.blood, rng)
    truth = _truth(ventricle, scan, planes, drawing)
    return played(Phantom(heart, scan, _volume(heart, scan, voxels, breaths), truth))


def _planes(heart: Heart, scan: Scan, breaths: Breaths) -> Planes:
    moments = np.arange(scan.phases) / scan.phases
    beat = contraction(moments, heart.systole, heart.early_share)
    depths = slice_depths_mm(heart, scan)
    drifted = np.outer(depths - heart.length_mm / 2, heart.drift) + breaths.shift_mm[:, :2]
    swayed = np.outer(beat, heart.sway_mm)
    return Planes(beat, depths + breaths.shift_mm[:, 2], drifted[None] + swayed[:, None])


def _signal(ventricle: Ventricle, scan: Scan, drawing: Drawing) -> Pixels:
    """Noiseless signal (phase, slice, row, column): thorax at rest, heart over it, coil before it."""
    heart = ventricle.heart
    local = _grid_mm(heart, scan)
    still = thorax(ventricle, local, scan.spacing_mm).astype(np.float32)
    gain = sensitivity(heart, local)
    rows, columns = drawing.window
    image = np.repeat((still * gain)[None], scan.phases, axis=0)
    image[:, :, rows, columns] = painted(heart, still[:, rows, columns], drawing.shares)
    image[:, :, rows, columns] *= gain[:, rows, columns]
    return image


def _grid_mm(heart: Heart, scan: Scan) -> Floats:
    """Places of all pixels, (slice, row, column, (right, down, apex)) mm in the heart's frame."""
    rows, columns = scan.matrix
    right = (np.arange(columns) - (columns - 1) / 2) * scan.spacing_mm - heart.offset_mm[0]
    down = (np.arange(rows) - (rows - 1) / 2) * scan.spacing_mm - heart.offset_mm[1]
    depth, y, x = np.meshgrid(slice_depths_mm(heart, scan), down, right, indexing="ij")
    return np.stack((x, y, depth), axis=-1)


def _truth(ventricle: Ventricle, scan: Scan, planes: Planes, drawing: Drawing) -> Truth:
    heart = ventricle.heart
    masks = []
    for part in (drawing.cavity, drawing.myocardium, drawing.scar):
        mask = np.zeros((scan.phases, scan.slices, *scan.matrix), np.bool_)
        mask[:, :, drawing.window[0], drawing.window[1]] = part > 0.5
        masks.append(mask)
    middle = (np.asarray(scan.matrix) - 1) / 2
    centres = middle + (planes.centre_mm[0, :, ::-1] + np.asarray(heart.offset_mm[::-1])) / scan.spacing_mm
    return Truth(
        volumes_ml=tuple(float(volume) for volume in ventricle.cavity_ml(planes.contraction)),
        segments=heart.scar.segments if heart.scar else (),
        cavity=masks[0],
        myocardium=masks[1],
        scar=masks[2],
        centres_px=tuple((float(row), float(column)) for row, column in centres),
    )


def _volume(heart: Heart, scan: Scan, voxels: Pixels, breaths: Breaths) -> CineVolume:
    study = study_uid(heart, scan)
    series = part_uid(study, "series", "GE", "SAX")
    return CineVolume(
        voxels=voxels,
        geometry=sax_geometry(heart, scan),
        trigger_ms=tuple(
            tuple(float(interval * phase) for phase in range(scan.phases)) for interval in breaths.interval_ms
        ),
        rr_ms=tuple(float(interval * scan.phases) for interval in breaths.interval_ms),
        sources=tuple(
            tuple(
                PlaneSource(_MR_IMAGE, part_uid(study, "instance", "GE", "SAX", phase, plane), series)
                for plane in range(scan.slices)
            )
            for phase in range(scan.phases)
        ),
        study_instance_uid=study,
        frame_of_reference_uid=part_uid(study, "frame of reference"),
        notes=("simulated phantom, not a patient",),
    )
