"""A trained network becomes a bundle: weights, their digest, and everything measured. Needs Keras loaded."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from models.manifest import MANIFEST_NAME, WEIGHTS_NAME, Manifest
from pipeline.contract import InputContract
from pipeline.preprocessing import Preprocessing

SIMULATED: Final = "Simulated hearts only"
TRAINED_ON: Final = (
    f"{SIMULATED} (computer phantoms with and without regional akinesia); no patient was ever seen."
)
# a tenth of the planes may be interpolated from their neighbours in time; the report says which
MAX_FILLED: Final = 0.1
TAUGHT: Final = (
    "The gates were taught on the phantoms' scar masks; on a patient's images that teaching proves nothing."
)
UNKNOWN: Final = "0" * 64
"""The digest in a manifest whose weights are not written yet."""


def contract_of(recipe: Preprocessing) -> InputContract:
    """The volumes that the node may ask a network about that was trained on this recipe's grid."""
    return InputContract(min_slices=recipe.min_slices, max_filled=MAX_FILLED)


def save_bundle(network: Any, folder: Path, manifest: Manifest) -> Manifest:
    """Write `network` and its manifest to `folder`; the manifest, now with the weights' digest."""
    folder.mkdir(parents=True, exist_ok=True)
    network.save(folder / WEIGHTS_NAME)
    digest = hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest()
    whole = replace(manifest, weights_sha256=digest)
    (folder / MANIFEST_NAME).write_text(whole.as_json(), encoding="utf-8")
    return whole


def write_bundle(
    network: Any,
    folder: Path,
    *,
    version: str,
    blocks: tuple[str, ...],
    measured: dict[str, Any],
    command: str,
) -> Manifest:
    """The demonstration bundle of `network`, in `folder`. `measured` holds the threshold and the scores."""
    recipe = Preprocessing()
    manifest = Manifest(
        name="ST-RAN",
        version=version,
        architecture="stran",
        weights_sha256=UNKNOWN,
        preprocessing=recipe,
        contract=contract_of(recipe),
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
    return save_bundle(network, folder, manifest)
