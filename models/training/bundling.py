"""A trained network becomes a bundle: weights, their digest, and everything measured. Needs Keras loaded."""

import hashlib
from pathlib import Path
from typing import Any, Final

from models.manifest import MANIFEST_NAME, WEIGHTS_NAME, Manifest
from pipeline.contract import InputContract
from pipeline.preprocessing import Preprocessing

TRAINED_ON: Final = (
    "Simulated hearts only (computer phantoms with and without regional akinesia); no patient was ever seen."
)
# a tenth of the planes may be interpolated from their neighbours in time; the report says which
MAX_FILLED: Final = 0.1
TAUGHT: Final = (
    "The gates were taught on the phantoms' scar masks; on a patient's images that teaching proves nothing."
)


def write_bundle(
    network: Any,
    folder: Path,
    *,
    version: str,
    blocks: tuple[str, ...],
    measured: dict[str, Any],
    command: str,
) -> Manifest:
    """Write `network` and its manifest to `folder`. `measured` holds the threshold and the scores."""
    folder.mkdir(parents=True, exist_ok=True)
    network.save(folder / WEIGHTS_NAME)
    recipe = Preprocessing()
    manifest = Manifest(
        name="ST-RAN",
        version=version,
        architecture="stran",
        weights_sha256=hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest(),
        preprocessing=recipe,
        contract=InputContract(min_slices=recipe.min_slices, max_filled=MAX_FILLED),
        threshold=measured["threshold"],
        threshold_rule="Youden's J on the validation phantoms",
        label="Scar",
        trained_on=TRAINED_ON,
        demonstration=True,
        attention=blocks,
        attention_training=TAUGHT,
        scores=measured,
        command=command,
    )
    (folder / MANIFEST_NAME).write_text(manifest.as_json(), encoding="utf-8")
    return manifest
