"""The figures in a manifest, against cases small enough to count by hand."""

import numpy as np
import pytest

from models.training.phantoms import Samples, draw_phantom, draw_samples, draw_scan
from models.training.scores import Answers, auc, mass_ratio, summary, youden
from pipeline.prepare import Preprocessing

LABEL = np.array([0, 0, 1, 1], np.float32)


@pytest.mark.parametrize(
    ("probability", "area"),
    [
        ([0.1, 0.2, 0.3, 0.4], 1.0),
        ([0.4, 0.3, 0.2, 0.1], 0.0),
        ([0.5] * 4, 0.5),
        ([0.1, 0.3, 0.2, 0.4], 0.75),
    ],
)
def test_auc_counts_the_pairs_in_the_right_order(probability: list[float], area: float) -> None:
    assert auc(probability, LABEL) == area


def test_auc_needs_both_kinds() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        auc([0.1, 0.2], np.ones(2))


def test_youden_finds_the_gap_between_the_kinds() -> None:
    assert youden(np.array([0.1, 0.3, 0.7, 0.9]), LABEL) == pytest.approx(0.5)


def test_an_even_map_has_ratio_one_and_a_perfect_one_the_inverse_of_the_area() -> None:
    scar = np.zeros((1, 1, 4, 4))
    scar[0, 0, 0] = 1.0
    region = np.ones_like(scar)
    assert mass_ratio(np.ones((1, 1, 4, 4), np.float32), scar, region) == pytest.approx(1.0)
    assert mass_ratio(scar.astype(np.float32), scar, region) == pytest.approx(4.0)


def test_the_summary_measures_attention_on_true_positives_alone() -> None:
    shape = (4, 1, 1, 4, 4)
    scar = np.zeros(shape, np.uint8)
    scar[2:, 0, 0, 0] = 100
    wall = np.zeros(shape, np.uint8)
    wall[:, 0, 0, :2] = 100
    samples = Samples(np.zeros(shape, np.float16), scar, wall, LABEL, np.arange(4))
    attention = np.ones(shape, np.float32)
    attention[3] = (scar[3] > 0) + 1e-9
    figures = summary(Answers(np.array([0.1, 0.2, 0.4, 0.9]), attention), samples, threshold=0.5)
    assert figures["n"] == 4
    assert figures["auc"] == 1.0
    assert (figures["sensitivity"], figures["specificity"]) == (0.5, 1.0)
    assert figures["true_positives"] == 1
    assert figures["attention_ratio_in_crop"] == pytest.approx(4.0, abs=0.01)
    assert figures["attention_ratio_in_wall"] == pytest.approx(2.0, abs=0.01)


def test_training_scans_differ_and_stay_within_what_scanners_do() -> None:
    scans = [draw_scan(seed) for seed in range(200)]
    assert {scan.slices for scan in scans} == set(range(6, 15))
    assert {scan.phases for scan in scans} == set(range(12, 31))
    assert all(scan.matrix[0] * scan.spacing_mm >= 240 for scan in scans)


def test_seeds_alternate_between_healthy_and_scarred() -> None:
    assert [draw_phantom(seed).truth.scarred for seed in (4, 5)] == [False, True]


def test_drawn_samples_are_remembered_and_their_scar_lies_in_the_wall(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    first = draw_samples(range(6, 8), Preprocessing(), found=True, cache=folder)
    again = draw_samples(range(6, 8), Preprocessing(), found=True, cache=folder)
    assert first.label.tolist() == [0.0, 1.0]
    assert first.scar[0].max() == 0
    assert first.scar[1].max() == 100
    assert (first.scar <= first.myocardium).all()
    for name in Samples.__slots__:
        assert np.array_equal(getattr(first, name), getattr(again, name))
    assert len(list(folder.iterdir())) == 1
