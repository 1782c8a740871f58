"""Each layer against arithmetic done another way."""

import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cine() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(2, 7, 4, 6, 8, 3)).astype(np.float32)


def test_the_spatial_convolution_treats_every_phase_alike(cine: np.ndarray) -> None:
    from models.layers import SpatialConv

    layer = SpatialConv(5)
    forwards = np.asarray(layer(cine))
    assert forwards.shape == (2, 7, 4, 6, 8, 5)
    assert np.asarray(layer(cine[:, ::-1])) == pytest.approx(forwards[:, ::-1], abs=1e-5)


def test_the_spatial_convolution_is_a_sum_over_neighbours_in_slice_row_and_column(cine: np.ndarray) -> None:
    from models.layers import SpatialConv

    layer = SpatialConv(5)
    answer = np.asarray(layer(cine))
    kernel = np.asarray(layer.kernel)
    by_hand = np.einsum("zyxc,zyxcf->f", cine[1, 4, 0:3, 2:5, 4:7], kernel)
    assert answer[1, 4, 1, 3, 5] == pytest.approx(by_hand, abs=1e-4)


def test_the_temporal_convolution_mixes_phases_and_never_voxels(cine: np.ndarray) -> None:
    from models.layers import TemporalConv

    layer = TemporalConv(5, taps=11)
    before = np.asarray(layer(cine))
    changed = cine.copy()
    changed[0, 2, 1, 3, 4] += 1.0
    difference = np.abs(np.asarray(layer(changed)) - before).max(axis=-1) > 1e-6
    assert difference[0, :, 1, 3, 4].all()
    difference[0, :, 1, 3, 4] = False
    assert not difference.any()


def test_the_temporal_convolution_has_eleven_taps_and_zeros_beyond_the_ends() -> None:
    from models.layers import TemporalConv

    layer = TemporalConv(1)
    pulse = np.zeros((1, 20, 1, 1, 1, 1), np.float32)
    pulse[0, 3] = 1.0
    answer = np.asarray(layer(pulse))[0, :, 0, 0, 0, 0]
    kernel = np.asarray(layer.kernel)[:, 0, 0, 0]
    assert answer[:9] == pytest.approx(kernel[::-1][2:11], abs=1e-6)
    assert not answer[9:].any()


def test_a_sigmoid_gate_is_one_where_the_score_is_nought_and_lies_in_0_to_2(cine: np.ndarray) -> None:
    from models.layers import AttentionGate

    layer = AttentionGate(4)
    gate = np.asarray(layer(cine))
    assert gate.shape == (2, 7, 4, 6, 8, 1)
    assert gate.min() > 0
    assert gate.max() < 2
    assert gate.std() > 0.01
    layer.score_kernel.assign(np.zeros((4, 1)))
    assert np.asarray(layer(cine)) == pytest.approx(1.0)


def test_the_gate_is_the_two_layer_score_of_the_paper(cine: np.ndarray) -> None:
    from models.layers import AttentionGate

    layer = AttentionGate(4)
    gate = np.asarray(layer(cine))
    hidden = np.maximum(cine @ np.asarray(layer.hidden_kernel) + np.asarray(layer.hidden_bias), 0)
    score = hidden @ np.asarray(layer.score_kernel) + np.asarray(layer.score_bias)
    assert gate == pytest.approx(2 / (1 + np.exp(-score)), abs=1e-5)


def test_a_softmax_gate_has_mean_one_over_the_study(cine: np.ndarray) -> None:
    from models.layers import AttentionGate

    gate = np.asarray(AttentionGate(4, "softmaxN")(cine))
    assert gate.mean(axis=(1, 2, 3, 4, 5)) == pytest.approx([1.0, 1.0], abs=1e-4)
    assert gate.std() > 0.01


def test_a_reference_gate_is_one_everywhere(cine: np.ndarray) -> None:
    from models.layers import AttentionGate

    assert (np.asarray(AttentionGate(4, "ref")(cine)) == 1.0).all()


def test_an_unknown_gate_or_pooling_is_refused_by_name() -> None:
    from models.layers import AttentionGate, GlobalSummary

    with pytest.raises(ValueError, match=r"softmax.*sigmoid, ref, softmaxN"):
        AttentionGate(4, "softmax")
    with pytest.raises(ValueError, match="mean\\+max, mean"):
        GlobalSummary("max")


def test_halving_is_bilinear_resizing_without_antialias(cine: np.ndarray) -> None:
    import keras

    from models.layers import InPlaneHalving

    halved = np.asarray(InPlaneHalving()(cine))
    planes = cine.reshape(-1, 6, 8, 3)
    resized = keras.ops.image.resize(planes, (3, 4), interpolation="bilinear", antialias=False)
    assert halved == pytest.approx(np.asarray(resized).reshape(2, 7, 4, 3, 4, 3), abs=1e-6)


def test_the_summary_is_every_channels_mean_then_its_maximum(cine: np.ndarray) -> None:
    from models.layers import GlobalSummary

    both = np.asarray(GlobalSummary()(cine))
    flat = cine.reshape(2, -1, 3)
    assert both == pytest.approx(np.concatenate([flat.mean(axis=1), flat.max(axis=1)], axis=1), abs=1e-5)
    assert np.asarray(GlobalSummary("mean")(cine)) == pytest.approx(flat.mean(axis=1), abs=1e-5)
