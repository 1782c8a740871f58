"""A beating volume in, a probability and a map out. Importing this never loads a framework."""

from models.bundle import load_bundle, verify_bundle
from models.errors import ContractViolation, InferenceFailed, ModelError, OutOfMemory, WeightsCorrupt
from models.explanation.method import Explain, Method
from models.hardware import computes_on_gpu, visible_gpus
from models.ladder import LAST, Rung, below
from models.manifest import Manifest, read_manifest
from models.prediction import ModelIdentity, Prediction
from models.protocol import ModelAdapter
from models.trial import Trial, try_bundle, try_with_maps

__all__ = [
    "LAST",
    "ContractViolation",
    "Explain",
    "InferenceFailed",
    "Manifest",
    "Method",
    "ModelAdapter",
    "ModelError",
    "ModelIdentity",
    "OutOfMemory",
    "Prediction",
    "Rung",
    "Trial",
    "WeightsCorrupt",
    "below",
    "computes_on_gpu",
    "load_bundle",
    "read_manifest",
    "try_bundle",
    "try_with_maps",
    "verify_bundle",
    "visible_gpus",
]
