"""Less memory, same answer: each rung against the usual computation, and what it costs."""

import re

import numpy as np
import pytest

from models import LAST, ModelAdapter, OutOfMemory, Rung, WeightsCorrupt, below, load_bundle
from models.frugal import FrugalNetwork
from models.ladder import REMARKS, TOLERANCE
from models.manifest import SHIPPED, read_manifest
from tests.models.cines import cine, in_fresh_python


@pytest.fixture(scope="module")
def frugal() -> ModelAdapter:
    return load_bundle(rung=Rung.FRUGAL)


@pytest.mark.parametrize(("phases", "slices", "seed"), [(20, 10, 0), (15, 12, 1), (30, 7, 2)])
def test_the_frugal_rung_agrees_with_the_usual_one(
    demonstration: ModelAdapter, frugal: ModelAdapter, phases: int, slices: int, seed: int
) -> None:
    volume = cine(seed=seed, phases=phases, slices=slices)
    usual, lean = demonstration.predict(volume), frugal.predict(volume)
    assert lean.probability == pytest.approx(usual.probability, abs=TOLERANCE)
    assert usual.attention is not None
    assert lean.attention is not None
    assert np.abs(usual.attention - lean.attention).max() < 10 * TOLERANCE
    assert lean.notes == (REMARKS[Rung.FRUGAL], *usual.notes)


def test_the_frugal_rung_takes_less_than_half_the_memory_and_no_framework() -> None:
    code = (
        "import re, sys\nfrom pathlib import Path\nfrom models import Rung, load_bundle\n"
        "from tests.models.cines import cine\nload_bundle(rung=Rung(RUNG)).predict(cine())\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text()).group(1)\n"
        "print(int(peak) * 1024 / 1e6, 'tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    peaks = {}
    for rung in (Rung.USUAL, LAST):
        done = in_fresh_python(f"RUNG = {rung.value!r}\n{code}", PYTHONPATH=".")
        found = re.search(r"([\d.]+) (True|False)", done.stdout)
        assert found, done.stderr
        assert found.group(2) == str(rung is Rung.USUAL)
        peaks[rung] = float(found.group(1))
    assert peaks[LAST] < peaks[Rung.USUAL] / 2


def test_the_ladder_ends() -> None:
    assert [below(rung, gpu=False) for rung in Rung] == [Rung.FRUGAL, Rung.FRUGAL, None]
    assert [below(rung, gpu=True) for rung in Rung] == [Rung.CPU, Rung.FRUGAL, None]


def test_the_frugal_rung_reads_no_byte_of_weights_that_are_not_the_manifests(edited: object) -> None:
    assert callable(edited)
    with pytest.raises(WeightsCorrupt, match="not the file its manifest names"):
        load_bundle(edited(weights_sha256="0" * 64), rung=Rung.FRUGAL)


def test_want_of_memory_is_said_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    network = FrugalNetwork(read_manifest(), SHIPPED)

    def none_left(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(network, "_run", none_left)
    with pytest.raises(OutOfMemory, match="phase by phase"):
        network(np.zeros((20, 10, 64, 64), np.float32))
