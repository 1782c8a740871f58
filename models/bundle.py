"""A folder with a manifest and weights becomes a model that answers."""

from pathlib import Path

from models.errors import WeightsCorrupt
from models.explanation.method import Explain, choose
from models.frugal import FrugalNetwork
from models.hardware import hide_gpus
from models.ladder import Rung
from models.manifest import SHIPPED, WEIGHTS_NAME, Manifest, read_manifest
from models.network import Network
from models.protocol import ModelAdapter
from models.weights_file import check_weights


def load_bundle(
    folder: Path | None = None,
    threshold: float | None = None,
    rung: Rung = Rung.USUAL,
    explain: Explain = "auto",
) -> ModelAdapter:
    """The model in `folder`, loaded and ready; without one, the shipped demonstration weights.

    `threshold` (0..1) overrides the manifest's operating point, `explain` is how maps are to be made.
    Loads Keras and its backend, which KERAS_BACKEND names, unless `rung` does without. Raises
    WeightsCorrupt.
    """
    from models.adapter import BundleAdapter  # SimpleITK: who only reads manifests does without it
    from models.explanation.build import explainer

    manifest = read_manifest(folder)
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        raise WeightsCorrupt(f"the configured threshold {threshold} does not lie in 0..1")
    network = load_network(manifest, folder, rung)
    choice = choose(explain, manifest, rung)
    maps = explainer(choice.method, manifest, network) if choice.method else None
    operating_point = manifest.threshold if threshold is None else threshold
    return BundleAdapter(manifest, network, operating_point, rung, maps, choice.remark)


def load_network(manifest: Manifest, folder: Path | None, rung: Rung) -> Network | FrugalNetwork:
    """The network alone, which takes prepared studies. Raises WeightsCorrupt."""
    if rung is Rung.CPU:
        hide_gpus()
    return (FrugalNetwork if rung is Rung.FRUGAL else Network)(manifest, folder or SHIPPED)


def verify_bundle(folder: Path | None = None) -> Manifest:
    """The manifest of a bundle whose weights are the ones it names. Loads no framework.

    Raises WeightsCorrupt.
    """
    manifest = read_manifest(folder)
    check_weights(manifest, (folder or SHIPPED) / WEIGHTS_NAME)
    return manifest
