"""Make the demonstration weights: `python -m models.demo_weights --out FOLDER`. Phantoms only, CPU only.

First on small crops about scar or healthy wall, then on the left ventricle, and, if asked for, on all a node
would show it: the network is fully convolutional, and each step is several times dearer than the one before.
Seeds of the three sets are far apart and fixed; the test set is drawn after everything is chosen.
"""

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from models.network import load_keras
from models.training.phantoms import Samples, draw_samples
from pipeline.preprocessing import Preprocessing

log = logging.getLogger("models.demo_weights")

VALIDATION_SEED: Final = 10_000
TEST_SEED: Final = 20_000
ATTENTION: Final = ("block2", "block3", "block4")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.demo_weights", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    parser.add_argument("--version", default="1", help="the bundle's version")
    parser.add_argument("--train", type=int, default=500, help="phantoms to learn from")
    parser.add_argument("--validation", type=int, default=80, help="phantoms to choose by")
    parser.add_argument("--test", type=int, default=120, help="phantoms to measure on")
    parser.add_argument("--crop-epochs", type=int, default=20, help="most epochs on crops")
    parser.add_argument("--heart-epochs", type=int, default=8, help="most epochs on the left ventricle")
    parser.add_argument("--whole-epochs", type=int, default=0, help="most epochs on whole phantoms")
    parser.add_argument("--seed", type=int, default=1, help="of the weights' start and the batches' order")
    parser.add_argument("--keep", type=Path, help="write the network here after every stage")
    parser.add_argument("--start", type=Path, help="a network to go on from, as --keep wrote it")
    parser.add_argument("--cache", type=Path, help="a folder that remembers drawn phantoms")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Draw, train, choose, measure, write. Returns 0."""
    given = _arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    load_keras("stran")
    validation = _draw(VALIDATION_SEED, given.validation, given.cache)
    network = _trained(given, validation)
    from models.gates import with_gates
    from models.training.bundling import write_bundle

    measured = _measured(with_gates(network, ATTENTION), validation, given)
    manifest = write_bundle(
        network,
        given.out,
        version=given.version,
        blocks=ATTENTION,
        measured=measured,
        command=_command(given),
    )
    log.info("%s: weights %s", given.out, manifest.weights_sha256[:12])
    log.info("%s", json.dumps(dict(manifest.scores)))
    return 0


def _command(given: argparse.Namespace) -> str:
    """What repeats this run: everything that shapes the result, and no folder of this machine."""
    shaping = {name: value for name, value in vars(given).items() if name not in ("out", "keep", "cache")}
    shaping["start"] = "NETWORK" if given.start else None
    options = [f"--{name.replace('_', '-')} {value}" for name, value in shaping.items() if value is not None]
    return " ".join(["python -m models.demo_weights --out FOLDER", *options])


def _draw(first: int, count: int, cache: Path | None, *, found: bool = True) -> Samples:
    log.info("drawing %d phantoms from seed %d", count, first)
    return draw_samples(range(first, first + count), Preprocessing(), found=found, cache=cache)


def _trained(given: argparse.Namespace, validation: Samples) -> Any:
    keras, stran = load_keras("stran")
    from models.training.fit import Stage, fit

    train = _draw(0, given.train, given.cache, found=False)
    keras.utils.set_random_seed(given.seed)
    network = keras.saving.load_model(given.start, compile=False) if given.start else stran.build()
    stages = (
        Stage(slices=4, pixels=24, epochs=given.crop_epochs, rate=1e-3),
        Stage(slices=10, pixels=40, epochs=given.heart_epochs, rate=5e-4),
        Stage(slices=10, pixels=64, epochs=given.whole_epochs, rate=1e-4, batch=4),
    )
    with tempfile.TemporaryDirectory() as folder:
        for number, stage in enumerate(stages, 1):
            if stage.epochs:
                log.info("stage %d: %s", number, stage)
                best = Path(folder) / f"{number}.weights.h5"
                fit(network, stage, train, validation, seed=given.seed + number, best=best)
                if given.keep:
                    network.save(given.keep)
    return network


def _measured(gated: Any, validation: Samples, given: argparse.Namespace) -> dict[str, Any]:
    from models.training.scores import ask, summary, youden

    chosen = ask(gated, validation)
    threshold = round(youden(chosen.probability, validation.label), 4)
    test = _draw(TEST_SEED, given.test, given.cache)
    return {
        "threshold": threshold,
        "train": {"n": given.train, "seeds": [0, given.train - 1]},
        "validation": summary(chosen, validation, threshold),
        "test": summary(ask(gated, test), test, threshold),
    }


if __name__ == "__main__":
    sys.exit(main())
