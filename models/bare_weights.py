"""Weights without a manifest of their own: a `.keras` file and a contract, from which a bundle is made."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.bundle_contents import DIGESTS_NAME, digest_list
from models.bundle_file import Bundle, bundle_of
from models.errors import WeightsCorrupt
from models.explanation.method import Method
from models.explanation.verdict import Verdict
from models.manifest import MANIFEST_NAME, MAX_MANIFEST_BYTES, WEIGHTS_NAME, manifest_of
from models.weights_file import read_weights
from pipeline.preprocessing import Preprocessing


@dataclass(frozen=True, slots=True)
class Contract:
    """What a contract file says: a manifest in which digests may be left out.

    Attributes:
        plain: all of it.
        recipe: how studies are prepared.
    """

    plain: Mapping[str, Any]
    recipe: Preprocessing

    @property
    def architecture(self) -> str:
        """The network that the weights are of."""
        return str(self.plain.get("architecture", ""))


def read_contract(path: Path) -> Contract:
    """A contract file, as far as it must be understood to load weights. Raises WeightsCorrupt."""
    plain = _contract(path)
    try:
        return Contract(plain, Preprocessing.from_json(json.dumps(plain["preprocessing"])))
    except (KeyError, ValueError) as error:
        raise WeightsCorrupt(f"{path}: a contract needs the preprocessing, and {error}") from error


def bundle_from_weights(path: Path, contract: Path) -> Bundle:
    """The bundle of a `.keras` file, with all that its contract file says of it.

    The contract is a manifest in which the digests may be left out: they are computed.

    Raises WeightsCorrupt.
    """
    weights = read_weights(path)
    said = read_contract(contract)
    digests = {
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "preprocessing_sha256": said.recipe.sha256,
    }
    manifest = manifest_of(json.dumps({**digests, **said.plain}).encode(), str(contract))
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
