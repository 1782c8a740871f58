"""Which method makes the map, and what the reader is told about it."""

from dataclasses import replace

import numpy as np
import pytest

from models import LAST, Method, Rung, read_manifest
from models.explanation.method import Explain, choose
from models.explanation.occlusion import PARTS, Occlusion, blocks
from models.explanation.ranks import rank_correlation
from models.explanation.verdict import Verdict
from models.manifest import Manifest

ALIVE = Verdict(True, "it lives", 0.01, 1.0, 0.1, 3.0, 8)
DEAD = replace(ALIVE, alive=False, sentence="its map is the same everywhere")


def bundle(
    attention: Verdict | None = ALIVE, gradcam: Verdict | None = ALIVE, *, declared: bool = True
) -> Manifest:
    proved = {Method.ATTENTION: attention, Method.GRADCAM: gradcam}
    known = {method: verdict for method, verdict in proved.items() if verdict is not None}
    return replace(read_manifest(), explanations=known, attention=("block2",) if declared else ())


@pytest.mark.parametrize(
    ("wanted", "manifest", "method", "told"),
    [
        ("auto", bundle(), Method.ATTENTION, ""),
        ("auto", bundle(attention=None), Method.GRADCAM, "attention was never proved alive"),
        ("auto", bundle(attention=DEAD), Method.GRADCAM, "not explainable by attention: its map is the same"),
        ("auto", bundle(declared=False), Method.GRADCAM, "exposes no attention that means anything"),
        ("auto", bundle(DEAD, DEAD), None, "not explainable by Grad-CAM"),
        ("attention", bundle(attention=None), Method.ATTENTION, "attention was never proved alive"),
        (
            "attention",
            bundle(declared=False),
            Method.GRADCAM,
            "the map is made by Grad-CAM: this model exposes no",
        ),
        ("gradcam", bundle(), Method.GRADCAM, ""),
        ("gradcam", bundle(gradcam=DEAD), None, "not explainable by Grad-CAM"),
        ("occlusion", bundle(), Method.OCCLUSION, "occlusion was never proved alive"),
    ],
)
def test_the_first_method_that_explains_the_model_is_taken(
    wanted: Explain, manifest: Manifest, method: Method | None, told: str
) -> None:
    choice = choose(wanted, manifest, Rung.USUAL)
    assert choice.method == method
    assert told in choice.remark
    assert bool(told) == bool(choice.remark)


@pytest.mark.parametrize("wanted", ["gradcam", "occlusion"])
def test_without_the_framework_there_is_no_such_map_and_the_reason(wanted: Explain) -> None:
    choice = choose(wanted, bundle(), LAST)
    assert choice.method is None
    assert "needs the network's framework" in choice.remark


def test_attention_needs_no_framework() -> None:
    assert choose("auto", bundle(), LAST).method is Method.ATTENTION


def test_verdicts_survive_the_manifest_and_nonsense_is_refused(tmp_path: object) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    manifest = bundle(DEAD)
    (tmp_path / "manifest.json").write_text(manifest.as_json())
    assert read_manifest(tmp_path) == manifest
    with pytest.raises(ValueError, match="finite"):
        replace(ALIVE, variance=float("nan"))


def test_rank_correlation_is_spearmans_with_ties() -> None:
    assert rank_correlation(np.array([1, 2, 3, 4]), np.array([10, 20, 30, 99])) == pytest.approx(1.0)
    assert rank_correlation(np.array([1, 2, 3, 4]), np.array([4, 3, 2, 1])) == pytest.approx(-1.0)
    assert rank_correlation(np.array([1, 1, 2, 3]), np.array([1, 2, 3, 4])) == pytest.approx(0.9486833)
    assert rank_correlation(np.ones(4), np.arange(4)) == 0.0


def test_occlusion_finds_the_square_that_the_answer_rests_on() -> None:
    cine = np.zeros((3, 4, 16, 16), np.float32)
    cine[:, 1, 4:8, 8:12] = 1.0
    asked = []

    def forward(given: np.ndarray) -> tuple[float, list[np.ndarray]]:
        asked.append(given)
        return float(0.2 + 0.6 * given[:, 1, 4:8, 8:12].mean()), []

    found = Occlusion(forward)(cine, forward(cine))
    assert found.map is not None
    assert np.array_equal(found.map, cine)
    assert len(asked) == 1 + np.prod(PARTS)
    assert "lowers the probability by 0.600" in found.notes[0]


def test_an_answer_that_rests_on_no_block_has_no_occlusion_map() -> None:
    found = Occlusion(lambda _: (0.5, []))(np.zeros((3, 4, 16, 16), np.float32), (0.5, []))
    assert found.map is None
    assert "nothing to show" in found.notes[0]


def test_the_blocks_cover_everything_once() -> None:
    covered = np.zeros((2, 10, 30, 17), int)
    for block in blocks(covered.shape):
        covered[block] += 1
    assert (covered == 1).all()
