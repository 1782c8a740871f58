"""Augmentation: what is drawn stays in its range, and what is applied is what was drawn."""

import numpy as np
import pytest

from models.training.augment import NONE, Augmentation, Change, apply_change, draw_change


def square() -> np.ndarray:
    """Two phases, one slice, 9 x 9, a bright pixel off the middle; the second phase is darker."""
    cine = np.zeros((2, 1, 9, 9), np.float32)
    cine[:, 0, 2, 5] = 1.0, 0.5
    return cine


def brightest(cine: np.ndarray) -> tuple[int, int]:
    row, column = np.unravel_index(cine[0, 0].argmax(), cine.shape[-2:])
    return int(row), int(column)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (Change(), (2, 5)),
        (Change(shift_px=(2, -1)), (4, 4)),
        (Change(flipped=(True, False)), (6, 5)),
        (Change(flipped=(False, True)), (2, 3)),
        (Change(angle_deg=90), (5, 6)),
        (Change(angle_deg=-90), (3, 2)),
        (Change(angle_deg=180), (6, 3)),
    ],
)
def test_a_change_in_plane_moves_a_pixel_to_where_it_belongs(change: Change, place: tuple[int, int]) -> None:
    moved = apply_change(square(), change)
    assert brightest(moved) == place
    assert moved[0].max() == pytest.approx(1.0, abs=1e-5)
    assert moved.dtype == np.float32


def test_brightness_changes_by_arithmetic_and_stays_within_0_and_1() -> None:
    cine = np.array([0.0, 0.25, 1.0], np.float32).reshape(1, 1, 1, 3)
    change = Change(gain=0.5, offset=0.25, gamma=2.0)
    assert apply_change(cine, change).ravel() == pytest.approx([0.25, 0.25 + 0.0625 * 0.5, 0.75])
    assert apply_change(cine, Change(gain=3, offset=-0.5)).ravel() == pytest.approx([0, 0.25, 1])


def test_a_roll_begins_the_beat_elsewhere() -> None:
    rolled = apply_change(square(), Change(rolled=1))
    assert rolled[:, 0, 2, 5].tolist() == [0.5, 1.0]


def test_changes_are_drawn_within_their_ranges_and_the_same_for_the_same_seed() -> None:
    wide = Augmentation(rotation_deg=20, shift_px=4, flip=True, gain=0.2, offset=0.1, gamma=0.3, roll=True)
    drawn = [draw_change(wide, 20, np.random.default_rng(seed)) for seed in range(200)]
    assert drawn[:20] == [draw_change(wide, 20, np.random.default_rng(seed)) for seed in range(20)]
    assert 15 < max(abs(change.angle_deg) for change in drawn) <= 20
    assert 3 < max(abs(shift) for change in drawn for shift in change.shift_px) <= 4
    assert {change.flipped for change in drawn} == {(a, b) for a in (True, False) for b in (True, False)}
    assert all(0.8 <= change.gain <= 1.2 and 0.7 <= change.gamma <= 1.3 for change in drawn)
    assert {change.rolled for change in drawn} == set(range(20))


def test_by_default_hearts_are_neither_mirrored_nor_begun_elsewhere() -> None:
    drawn = [draw_change(Augmentation(), 20, np.random.default_rng(seed)) for seed in range(50)]
    assert {change.flipped for change in drawn} == {(False, False)}
    assert {change.rolled for change in drawn} == {0}


def test_without_augmentation_a_cine_stays_as_it_is_and_never_is_the_given_one_changed() -> None:
    cine = square()
    assert np.array_equal(apply_change(cine, draw_change(NONE, 2, np.random.default_rng(1))), cine)
    apply_change(cine, Change(angle_deg=30, gain=0.5, flipped=(True, True), rolled=1))
    assert np.array_equal(cine, square())


@pytest.mark.parametrize("wrong", [{"rotation_deg": -1}, {"gain": 1.0}, {"gamma": 1.5}])
def test_ranges_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"not negative|shares below 1"):
        Augmentation(**wrong)
