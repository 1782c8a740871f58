"""A cohort as networks see it: rendered, then prepared as the node would, from finding the heart on."""

from collections.abc import Callable

import numpy as np

from models.cohort.designs import Cohort
from models.examples import Examples
from pipeline.phantom import render
from pipeline.phantom.identity import study_uid
from pipeline.preprocessing import Preprocessing


def draw_examples(
    cohort: Cohort, label: str, recipe: Preprocessing, drawn: Callable[[int], None] = lambda count: None
) -> Examples:
    """The members of `cohort` with their answers to `label`, told apart by kind, site and band.

    `drawn` hears how many are done. Raises KeyError for a label that the cohort does not have.
    """
    from pipeline.centre import heart_centre
    from pipeline.prepare import prepare

    members = cohort.members
    answers = np.array([member.answers[label] for member in members])
    grid = (recipe.phases, recipe.slices, recipe.pixels, recipe.pixels)
    cine = np.empty((len(members), *grid), np.float16)
    for index, member in enumerate(members):
        volume = render(member.heart, cohort.scan).volume
        cine[index] = prepare(volume, recipe, heart_centre(volume)).array
        drawn(index + 1)
    return Examples(
        cine=cine,
        label=answers,
        label_name=label,
        patients=tuple(member.patient for member in members),
        studies=tuple(study_uid(member.heart, cohort.scan) for member in members),
        recipe=recipe,
        simulated=True,
        groups={
            "kind": tuple(member.kind for member in members),
            "site": tuple(member.site for member in members),
            "band": tuple("yes" if member.heart.variant.band else "no" for member in members),
        },
    )
