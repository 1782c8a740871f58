"""Weights without a manifest of their own: a `.keras` file and a contract, from which a bundle is made.

A SavedModel is not taken. It is a graph of TensorFlow operations, among them such as read and write files,
and to ask it is to execute it; a `.keras` file is a description of layers we have, and numbers.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from models.bundle_contents import DIGESTS_NAME, digest_list
from models.bundle_file import Bundle, bundle_of
from models.errors import WeightsCorrupt
from models.explanation.method import Method
from models.explanation.verdict import Verdict
from models.manifest import MANIFEST_NAME, MAX_MANIFEST_BYTES, WEIGHTS_NAME, manifest_of
from models.weights_file import read_weights
from pipeline.preprocessing import Preprocessing

_GRAPH: Final = "saved_model.pb"
_REFUSED: Final = (
    "{path} is a SavedModel: to ask it would be to execute its graph, which the node does for nobody; load "
    "its weights into the Keras network it was made from, and import what `model.save('one.keras')` writes"
)


def refuse_saved_model(path: Path) -> None:
    """Raises WeightsCorrupt, with what to do instead, if a folder or a zip is TensorFlow's SavedModel."""
    if any(name.rpartition("/")[2] == _GRAPH for name in _names(path)):
        raise WeightsCorrupt(_REFUSED.format(path=path))


def _names(path: Path) -> list[str]:
    """The files in a folder, or in a zip; none in anything else."""
    if path.is_dir():
        return [one.name for one in path.iterdir()]
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return []


def bundle_from_weights(path: Path, contract: Path) -> Bundle:
    """The bundle of a `.keras` file, with all that its contract file says of it.

    The contract is a manifest in which the digests may be left out: they are computed.

    Raises WeightsCorrupt.
    """
    weights = read_weights(path)
    plain = _contract(contract)
    try:
        recipe = Preprocessing.from_json(json.dumps(plain["preprocessing"]))
    except (KeyError, ValueError) as error:
        raise WeightsCorrupt(f"{contract}: a contract needs the preprocessing, and {error}") from error
    digests = {
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "preprocessing_sha256": recipe.sha256,
    }
    manifest = manifest_of(json.dumps(digests | plain).encode(), str(contract))
    files = {MANIFEST_NAME: manifest.as_json().encode(), WEIGHTS_NAME: weights}
    return bundle_of(files | {DIGESTS_NAME: digest_list(files)}, str(path))


def with_verdicts(bundle: Bundle, verdicts: Mapping[Method, Verdict]) -> Bundle:
    """A bundle that was made here of bare weights, its manifest saying which methods explain it."""
    manifest = replace(bundle.manifest, explanations={**bundle.manifest.explanations, **verdicts})
    files = {**bundle.files, MANIFEST_NAME: manifest.as_json().encode()}
    return bundle_of(files | {DIGESTS_NAME: digest_list(files)}, manifest.name)


def _contract(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            plain = json.loads(file.read(MAX_MANIFEST_BYTES))
    except OSError as error:
        raise WeightsCorrupt(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise WeightsCorrupt(f"{path} is no contract: {error}") from error
    if not isinstance(plain, dict):
        raise WeightsCorrupt(f"{path} is no contract: it is a manifest, in which the digests may be left out")
    return plain
