"""What a consumer refuses, and why."""

from dataclasses import replace

import pytest

from pipeline import InputContract, refusal
from tests.pipeline.test_volume import volume


@pytest.mark.parametrize(
    ("contract", "reason"),
    [
        (InputContract(min_phases=3), "2 phases; between 3 and 100 needed"),
        (InputContract(min_phases=1, max_phases=1), "2 phases; between 1 and 1 needed"),
        (InputContract(min_phases=2, max_slices=2), "3 slices; between 1 and 2 needed"),
        (InputContract(min_phases=2, max_pixels=19), "4 x 5 pixels; at most 19 in a plane"),
    ],
)
def test_a_volume_outside_the_contract_is_refused_in_words(contract: InputContract, reason: str) -> None:
    assert refusal(volume(), contract) == reason


def test_a_volume_within_the_contract_is_taken() -> None:
    assert refusal(volume(phases=8), InputContract()) is None


def test_more_filled_planes_than_allowed_are_refused() -> None:
    gappy = replace(volume(), filled=((0, 1),))
    assert (
        refusal(gappy, InputContract(min_phases=2)) == "16.7% of the planes are missing; at most 0.0% may be"
    )
    assert refusal(gappy, InputContract(min_phases=2, max_filled=0.2)) is None
