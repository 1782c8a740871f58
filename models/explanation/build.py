"""The method that was chosen, made ready for a network."""

import importlib

from models.explanation.explainer import Explainer, GateMap
from models.explanation.features import Features
from models.explanation.method import Method
from models.explanation.occlusion import Occlusion
from models.frugal import FrugalNetwork
from models.manifest import Manifest
from models.network import Network
from models.registry import ARCHITECTURES


def features_of(architecture: str) -> Features:
    """Where Grad-CAM looks in a network; loads Keras."""
    features: Features = importlib.import_module(ARCHITECTURES[architecture]).FEATURES
    return features


def explainer(method: Method, manifest: Manifest, network: Network | FrugalNetwork) -> Explainer:
    """What makes maps of the network's answers."""
    if method is Method.ATTENTION:
        return GateMap(manifest.attention_training)
    if method is Method.OCCLUSION:
        return Occlusion(network)
    assert isinstance(network, Network)  # `choose` offers Grad-CAM only where there is a framework
    from models.explanation.gradcam import GradCam

    return GradCam(network.model, features_of(manifest.architecture))
