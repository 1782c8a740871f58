"""What a bundle says about itself: read and checked without loading any framework."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from models.errors import WeightsCorrupt
from models.explanation.method import Method
from models.explanation.verdict import Verdict, verdicts_as_plain, verdicts_from
from models.prediction import ModelIdentity
from pipeline.contract import InputContract
from pipeline.preprocessing import Preprocessing

SHIPPED: Final = Path(__file__).parent / "weights" / "demo"
MANIFEST_NAME: Final = "manifest.json"
WEIGHTS_NAME: Final = "weights.keras"
MAX_MANIFEST_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """One trained network: everything but the numbers in it.

    Attributes:
        name: what reports call it.
        version: the bundle's version.
        architecture: a key of `models.registry.ARCHITECTURES`.
        weights_sha256: digest of `weights.keras` beside the manifest.
        preprocessing: the recipe it was trained with.
        contract: the volumes it may be asked about.
        threshold: the operating point, 0..1.
        threshold_rule: how the operating point was chosen.
        label: the column it was trained to predict.
        trained_on: one sentence on the training data.
        demonstration: True if no clinical data ever touched it.
        attention: the blocks whose residual gates make the attention map; empty if none is worth showing.
        attention_training: one sentence on what, if anything, taught the attention where to look.
        scores: what it scored, on what, with n and seeds; free for the reader, never computed with.
        command: what made it.
        explanations: by which methods its answers can be explained, as proved; see `models.explanation`.
    """

    name: str
    version: str
    architecture: str
    weights_sha256: str
    preprocessing: Preprocessing
    contract: InputContract
    threshold: float
    threshold_rule: str
    label: str
    trained_on: str
    demonstration: bool
    attention: tuple[str, ...] = ()
    attention_training: str = ""
    scores: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    explanations: Mapping[Method, Verdict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise ValueError("the threshold lies in 0..1")
        if len(self.weights_sha256) != 64:
            raise ValueError("weights_sha256 has 64 hexadecimal digits")

    @property
    def identity(self) -> ModelIdentity:
        """What every answer of this bundle is signed with."""
        return ModelIdentity(
            name=self.name,
            version=self.version,
            architecture=self.architecture,
            weights_sha256=self.weights_sha256,
            preprocessing_sha256=self.preprocessing.sha256,
            label=self.label,
            trained_on=self.trained_on,
            demonstration=self.demonstration,
        )

    def as_json(self) -> str:
        """The text of `manifest.json`."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        plain["preprocessing"] = json.loads(self.preprocessing.as_json())
        plain["preprocessing_sha256"] = self.preprocessing.sha256
        plain["contract"] = {one.name: getattr(self.contract, one.name) for one in fields(self.contract)}
        plain["explanations"] = verdicts_as_plain(self.explanations)
        return json.dumps(plain, indent=2) + "\n"


def read_manifest(folder: Path | None = None) -> Manifest:
    """The manifest of the bundle in `folder`; of the shipped demonstration bundle without one.

    Raises WeightsCorrupt, with what to do, if there is none or it does not say what a manifest must.
    """
    path = (folder or SHIPPED) / MANIFEST_NAME
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise WeightsCorrupt(f"{path} is over {MAX_MANIFEST_BYTES} bytes: this is no model manifest")
        data = path.read_bytes()
    except OSError as error:
        raise WeightsCorrupt(f"{path} cannot be read: a model is a folder with {MANIFEST_NAME}") from error
    return manifest_of(data, str(path))


def manifest_of(data: bytes, where: str) -> Manifest:
    """The manifest that these bytes are, `where` being what an error's sentence calls them.

    Raises WeightsCorrupt.
    """
    try:
        return _parsed(json.loads(data))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise WeightsCorrupt(f"{where} is not a model manifest: {error}") from error


def _parsed(plain: Any) -> Manifest:
    given = dict(plain)
    recipe = Preprocessing.from_json(json.dumps(given.pop("preprocessing")))
    if given.pop("preprocessing_sha256") != recipe.sha256:
        raise ValueError("the preprocessing is not the one the digest names")
    contract = InputContract(**given.pop("contract"))
    attention = tuple(given.pop("attention", ()))
    given["explanations"] = verdicts_from(given.get("explanations", {}))
    manifest = Manifest(preprocessing=recipe, contract=contract, attention=attention, **given)
    texts = (manifest.name, manifest.version, manifest.architecture, manifest.weights_sha256, manifest.label)
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("name, version, architecture, weights_sha256 and label are texts")
    return manifest
