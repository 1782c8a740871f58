"""The swift forward pass against the Keras network it is derived from."""

import logging
from pathlib import Path

import numpy as np
import pytest

from models import ModelAdapter
from models.adapter import BundleAdapter
from models.manifest import Manifest, read_manifest
from models.network import Network
from tests.models.cines import in_fresh_python
from tests.models.drawn_bundle import drawn_bundle

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network(demonstration: ModelAdapter) -> Network:
    assert isinstance(demonstration, BundleAdapter)
    assert isinstance(demonstration.network, Network)
    return demonstration.network


@pytest.fixture
def manifest() -> Manifest:
    return read_manifest()


def study(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    smooth = rng.random((20, 10, 8, 8), np.float32).repeat(8, 2).repeat(8, 3)
    return (0.7 * smooth + 0.3 * rng.random(smooth.shape, np.float32)).astype(np.float32)


def test_studies_of_the_recipes_size_are_answered_swiftly_and_the_same(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = network._plain(study(3))
    monkeypatch.setattr(network, "_plain", None)
    probability, gates = network(study(3))
    assert probability == pytest.approx(plain[0].item(), abs=1e-6)
    assert [gate.shape for gate in gates] == [gate.shape for gate in plain[1:]]
    assert max(np.abs(a - b).max() for a, b in zip(gates, plain[1:], strict=True)) < 1e-5


def test_other_sizes_are_left_to_the_network_itself(network: Network) -> None:
    smaller = study(3)[:8, :4]
    probability, gates = network(smaller)
    assert probability == pytest.approx(network._plain(smaller)[0].item(), abs=1e-7)
    assert gates[0].shape[:2] == (8, 4)


def test_a_swift_form_that_answers_otherwise_is_not_used_and_the_log_says_so(
    network: Network,
    manifest: Manifest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from models import swift

    right = swift.swift_forward

    def wrong(*given: object) -> object:
        forward = right(*given)  # type: ignore[arg-type]
        return lambda cine: [one + np.float32(2e-4) for one in forward(cine)]

    monkeypatch.setattr(swift, "swift_forward", wrong)
    with caplog.at_level(logging.WARNING):
        assert network._verified_swift(manifest) is None
    assert "away" in caplog.text


def test_a_network_that_gates_otherwise_has_no_swift_form(
    network: Network, manifest: Manifest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(network._model.get_layer("block2_attention"), "mode", "softmaxN")
    with caplog.at_level(logging.WARNING):
        assert network._verified_swift(manifest) is None
    assert "gates that are no sigmoids" in caplog.text


# TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_an_architecture_without_a_swift_form_is_no_reason_to_warn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = drawn_bundle(tmp_path / "drawn", "temporal")
    with caplog.at_level(logging.DEBUG, logger="models.network"):
        network = Network(read_manifest(folder), folder)
    assert network._swift is None
    assert [one.levelname for one in caplog.records] == ["DEBUG"]
    assert "temporal has no swift form" in caplog.text


def test_another_backend_computes_as_keras_does() -> None:
    code = (
        "from models import load_bundle\n"
        "import sys\n"
        "print(load_bundle().network._swift, 'models.swift' in sys.modules)"
    )
    done = in_fresh_python(code, KERAS_BACKEND="jax", PYTHONPATH=str(Path(__file__).parents[2]))
    assert "None False" in done.stdout, done.stderr
