"""The same beat the other way round: a study that only the order of its images tells from another."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.phantom.heart import Heart
from pipeline.phantom.scan import Phantom


def played(phantom: Phantom) -> Phantom:
    """`phantom`, whose images are in the order of the beat, in the order its heart says.

    The images stay the same to the bit, noise included, and so do their times.
    """
    if not phantom.heart.variant.backwards:
        return phantom
    truth = phantom.truth
    order = playing_order(phantom.heart, len(truth.volumes_ml))
    return replace(
        phantom,
        volume=replace(phantom.volume, voxels=phantom.volume.voxels[order]),
        truth=replace(
            truth,
            volumes_ml=tuple(truth.volumes_ml[moment] for moment in order),
            cavity=truth.cavity[order],
            myocardium=truth.myocardium[order],
            scar=truth.scar[order],
        ),
    )


def playing_order(heart: Heart, phases: int) -> NDArray[np.intp]:
    """Which moment of the beat each phase shows; the first is the R wave in either direction."""
    moments = np.arange(phases)
    return -moments % phases if heart.variant.backwards else moments
