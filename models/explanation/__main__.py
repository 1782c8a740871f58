"""Prove which methods explain a model: `python -m models.explanation FOLDER`; `--write` records it.

Draws phantoms with scar, asks the model about them, and says for each method whether its maps live. Without
FOLDER: the demonstration weights that come with the node. What is recorded in the manifest decides which maps
the node makes with this model.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from models.errors import ModelError
from models.explanation.method import NAMES, Method
from models.explanation.record import record
from models.manifest import SHIPPED, read_manifest

log = logging.getLogger("models.explanation")


def main(argv: Sequence[str] | None = None) -> int:
    """Prove, say, and record if wanted. Returns 0, or 1 if the model is explainable by no method."""
    parser = argparse.ArgumentParser(prog="python -m models.explanation", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=SHIPPED, help="the bundle's folder")
    parser.add_argument("--method", type=Method, choices=list(Method), action="append", help="only this one")
    parser.add_argument(
        "--phantoms", type=int, default=10, help="phantoms with scar to ask about (2 or more)"
    )
    parser.add_argument("--write", action="store_true", help="record the verdicts in the bundle's manifest")
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        return _proved(given.folder, given.method or list(Method), given.phantoms, write=given.write)
    except (ModelError, ValueError) as error:
        log.error("%s", error)
        return 2


def _proved(folder: Path, methods: Sequence[Method], count: int, *, write: bool) -> int:
    manifest = read_manifest(folder)
    log.info("drawing %d phantoms", count)
    from models.explanation.aliveness import prove
    from models.explanation.drawn_lesions import draw_lesions

    verdicts = prove(folder, draw_lesions(manifest.preprocessing, count), methods, log.info)
    for method, one in verdicts.items():
        state = "alive" if one.alive else "DEAD"
        log.info("%s: %s: %s", NAMES[method], state, one.sentence)
        log.info(
            "    variance %.4g, gradient %s, rank correlation %.3f, lesion ratio %s in %d phantoms",
            *(one.variance, one.gradient, one.rank_correlation, one.lesion_ratio, one.phantoms),
        )
    if write:
        record(folder, replace(manifest, explanations={**manifest.explanations, **verdicts}))
        log.info("recorded in %s", folder)
    return 0 if any(one.alive for one in verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
