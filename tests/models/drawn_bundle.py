"""A small network of the zoo with weights drawn by lot, for tests in which it need not know anything."""

import hashlib
import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from models import read_manifest
from models.manifest import MANIFEST_NAME, WEIGHTS_NAME
from models.registry import ARCHITECTURES
from pipeline.contract import InputContract
from pipeline.preprocessing import Preprocessing

_RECIPE = Preprocessing(spacing_mm=4.0, pixels=32, phases=8, slices=4, min_slices=4)


def drawn_bundle(folder: Path, architecture: str, **changes: Any) -> Path:
    """Write the bundle into a new folder; returns it. Nothing was ever proved of it. Loads Keras.

    It declares the attention that the network has; `changes` make another manifest.
    """
    import keras

    keras.utils.set_random_seed(3)
    module = importlib.import_module(ARCHITECTURES[architecture])
    network = module.build(shape=(_RECIPE.phases, _RECIPE.slices, _RECIPE.pixels, _RECIPE.pixels, 1))
    head = network.get_layer(module.FEATURES.score)
    # features speak for scar, whichever they are
    head.set_weights([np.abs(one) for one in head.get_weights()])
    folder.mkdir(parents=True)
    network.save(folder / WEIGHTS_NAME)
    manifest = replace(
        read_manifest(),
        name="DRAWN",
        architecture=architecture,
        weights_sha256=hashlib.sha256((folder / WEIGHTS_NAME).read_bytes()).hexdigest(),
        preprocessing=_RECIPE,
        contract=InputContract(min_slices=4),
        attention=module.ATTENTION,
        attention_training="",
        explanations={},
    )
    (folder / MANIFEST_NAME).write_text(replace(manifest, **changes).as_json(), encoding="utf-8")
    return folder
