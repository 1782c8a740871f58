"""Does a bundle, on this machine, still give the answers it gave when it was made?"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle import load_network
from models.errors import InferenceFailed, WeightsCorrupt
from models.explanation.method import NAMES, Method
from models.explanation.verdict import Verdict
from models.golden import Golden, read_golden
from models.ladder import TOLERANCE, Rung
from models.manifest import SHIPPED, Manifest, read_manifest


@dataclass(frozen=True, slots=True)
class Trial:
    """How a bundle did.

    Attributes:
        studies: golden studies it was asked about; 0 if it has none, and was asked about noise.
        away: the greatest difference of an answer from the one on record.
        verdicts: which methods explain it, if that was proved here.
    """

    studies: int
    away: float = 0.0
    verdicts: Mapping[Method, Verdict] = field(default_factory=dict)


def try_bundle(folder: Path | None = None, rung: Rung = Rung.USUAL) -> Trial:
    """Load the bundle in `folder`, and ask it about its golden studies; without any, about one of noise.

    Raises:
        WeightsCorrupt: it cannot be loaded, or an answer is further than `models.ladder.TOLERANCE` from the
            one on record.
        InferenceFailed: it gives no usable answer.
    """
    manifest = read_manifest(folder)
    golden = read_golden(folder or SHIPPED)
    network = load_network(manifest, folder, rung)
    grid = _grid(manifest)
    if golden is not None and golden.cine.shape[1:] != grid:
        raise WeightsCorrupt(f"the golden studies of {manifest.name} are {golden.cine.shape[1:]}, not {grid}")
    asked = _noise(grid) if golden is None else golden.cine
    answers = np.array([network(one.astype(np.float32))[0] for one in asked])
    if not ((answers >= 0) & (answers <= 1)).all():
        raise InferenceFailed(f"{manifest.name} answers with something that is no probability")
    return Trial(0) if golden is None else _compared(manifest, golden, answers)


def try_with_maps(folder: Path | None = None, rung: Rung = Rung.USUAL) -> Trial:
    """As `try_bundle`, and proves here which methods explain the model: half a minute for one of full size.

    Raises as it does, and WeightsCorrupt where the manifest says that a method explains it, which is not so.
    """
    from models.explanation.registration import proof_of

    trial = try_bundle(folder, rung)
    verdicts = proof_of(folder or SHIPPED)
    claimed = read_manifest(folder).explanations
    for method, found in verdicts.items():
        if not found.alive and method in claimed and claimed[method].alive:
            raise WeightsCorrupt(
                f"its manifest says that {NAMES[method]} explains this model, and proved here it does not: "
                f"{found.sentence}"
            )
    return replace(trial, verdicts=verdicts)


def _compared(manifest: Manifest, golden: Golden, answers: NDArray[np.floating[Any]]) -> Trial:
    away = np.abs(answers - golden.probability)
    worst = int(away.argmax())
    if not away[worst] <= TOLERANCE:
        raise WeightsCorrupt(
            f"{manifest.name} {manifest.version} answers {answers[worst]:.6f} to golden study {worst + 1}, "
            f"where {golden.probability[worst]:.6f} is on record: the weights, or this machine, are not what "
            "they were"
        )
    return Trial(len(answers), float(away[worst]))


def _grid(manifest: Manifest) -> tuple[int, ...]:
    recipe = manifest.preprocessing
    return (recipe.phases, recipe.slices, recipe.pixels, recipe.pixels)


def _noise(grid: tuple[int, ...]) -> NDArray[np.floating[Any]]:
    return np.random.default_rng(0).random((1, *grid), np.float32)
