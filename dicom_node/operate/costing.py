"""What a network takes: measured in a process of its own, so that no other network's memory is counted."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np

from dicom_node.analysis.worker import peak_rss_mb
from models.evaluation.counting import flops
from models.manifest import read_manifest
from models.network import Network, keras_network
from reports.evaluation.comparison import Cost

RUNS: Final = 7


def cost_of(bundle: Path) -> Cost:
    """Time, memory and operations of the network in `bundle`, on this machine as busy as it is."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as alone:
        return alone.submit(measure, bundle).result()


def measure(bundle: Path) -> Cost:
    """As `cost_of`, in this process. Raises WeightsCorrupt."""
    manifest = read_manifest(bundle)
    recipe = manifest.preprocessing
    grid = (recipe.phases, recipe.slices, recipe.pixels, recipe.pixels)
    answer, cine = Network(manifest, bundle), np.random.default_rng(0).random(grid, np.float32)
    answer(cine)
    seconds = []
    for _ in range(RUNS):
        begun = perf_counter()
        answer(cine)
        seconds.append(perf_counter() - begun)
    peak_mb = peak_rss_mb()  # before the network is loaded once more, to be counted
    network = keras_network(manifest, bundle)
    return Cost(int(network.count_params()), flops(network, grid), tuple(seconds), peak_mb)
