"""A study's files to its volume on the network's grid, in the way the node prepares it for an answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.bundling import contract_of
from models.training.groups import header_groups, is_phantom
from models.training.studies import FoundStudy
from pipeline import ContradictoryStudy, IncompleteCine, assemble, find_stack, read_study, refusal
from pipeline.centre import heart_centre
from pipeline.prepare import prepare
from pipeline.preprocessing import Preprocessing


@dataclass(frozen=True, slots=True, eq=False)
class PreparedStudy:
    """A study as networks see it.

    Attributes:
        key: of the files it was made from.
        cine: (phase, slice, row, column) float16 in 0..1.
        groups: see `models.training.groups`.
        simulated: whether it shows a phantom.
    """

    key: str
    cine: NDArray[np.float16]
    groups: Mapping[str, str]
    simulated: bool


Prepare = Callable[[FoundStudy, Preprocessing], PreparedStudy]
"""As `prepare_study`, here or elsewhere; StudyLost, if it could not be done, and may be another time."""


def prepare_study(found: FoundStudy, recipe: Preprocessing) -> PreparedStudy:
    """Strangers' images are decoded. Raises PipelineError, in a sentence for people, if they cannot."""
    if len(found.patients) > 1:
        raise ContradictoryStudy(f"the images name {len(found.patients)} different patients")
    study = read_study(found.paths)
    volume = assemble(study, find_stack(study.facts), allow_missing=True)
    if (reason := refusal(volume, contract_of(recipe))) is not None:
        raise IncompleteCine(reason)
    centre = heart_centre(volume, study, margin_mm=recipe.pixels * recipe.spacing_mm / 2)
    cine = prepare(volume, recipe, centre).array.astype(np.float16)
    header = study.header_of(volume.sources[0][0].sop_instance_uid)
    return PreparedStudy(found.key, cine, header_groups(header), is_phantom(header))
