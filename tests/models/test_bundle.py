"""Weights are opened only when they are the ones the manifest names."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from models import LAST, Method, ModelAdapter, WeightsCorrupt, load_bundle, read_manifest
from models.weights_file import MAX_WEIGHTS_BYTES
from tests.models.cines import cine

pytestmark = pytest.mark.slow

Edited = Callable[..., Path]


def signed(data: bytes) -> dict[str, str]:
    return {"weights_sha256": hashlib.sha256(data).hexdigest()}


def test_the_shipped_weights_are_the_ones_their_manifest_names_and_small(shipped: Path) -> None:
    data = (shipped / "weights.keras").read_bytes()
    assert hashlib.sha256(data).hexdigest() == read_manifest().weights_sha256
    assert len(data) <= 6_000_000


def test_the_shipped_bundle_becomes_a_model(demonstration: ModelAdapter) -> None:
    assert isinstance(demonstration, ModelAdapter)
    assert demonstration.identity == read_manifest().identity
    assert demonstration.threshold == read_manifest().threshold


def test_a_configured_threshold_overrides_the_manifests(shipped: Path) -> None:
    model = load_bundle(shipped, threshold=0.125)
    assert model.threshold == 0.125
    assert model.predict(cine()).threshold == 0.125


def test_a_threshold_outside_0_to_1_is_refused(shipped: Path) -> None:
    with pytest.raises(WeightsCorrupt, match="threshold"):
        load_bundle(shipped, threshold=1.5)


def test_one_changed_byte_is_noticed(edited: Edited) -> None:
    bundle = edited()
    data = bytearray((bundle / "weights.keras").read_bytes())
    data[len(data) // 2] ^= 1
    (bundle / "weights.keras").write_bytes(data)
    with pytest.raises(WeightsCorrupt, match="is not the file its manifest names"):
        load_bundle(bundle)


def test_a_git_lfs_pointer_is_called_one(edited: Edited) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5957695\n"
    bundle = edited(**signed(pointer))
    (bundle / "weights.keras").write_bytes(pointer)
    with pytest.raises(WeightsCorrupt, match="Git LFS pointer"):
        load_bundle(bundle)


def test_missing_weights_are_named(edited: Edited) -> None:
    bundle = edited()
    (bundle / "weights.keras").unlink()
    with pytest.raises(WeightsCorrupt, match=r"weights\.keras cannot be read"):
        load_bundle(bundle)


def test_weights_of_enormous_size_are_not_read(edited: Edited) -> None:
    bundle = edited()
    with (bundle / "weights.keras").open("wb") as file:
        file.truncate(MAX_WEIGHTS_BYTES + 1)
    with pytest.raises(WeightsCorrupt, match="is over"):
        load_bundle(bundle)


def test_an_archive_that_unpacks_to_enormous_size_is_not_unpacked(edited: Edited) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b"0" * (MAX_WEIGHTS_BYTES + 1))
    bundle = edited(**signed(bomb.getvalue()))
    (bundle / "weights.keras").write_bytes(bomb.getvalue())
    with pytest.raises(WeightsCorrupt, match="unpacks to more"):
        load_bundle(bundle)


def test_a_file_that_is_no_network_is_refused_even_if_its_digest_is_right(edited: Edited) -> None:
    bundle = edited(**signed(b"PK not really"))
    (bundle / "weights.keras").write_bytes(b"PK not really")
    with pytest.raises(WeightsCorrupt, match="holds no stran network"):
        load_bundle(bundle)


def test_code_hidden_in_weights_is_not_run(edited: Edited, tmp_path: Path) -> None:
    import keras

    inputs = keras.Input((None, None, None, None, 1))
    smuggled = keras.layers.Lambda(lambda x: x, name="smuggled")(inputs)
    keras.Model(inputs, smuggled).save(tmp_path / "lambda.keras")
    data = (tmp_path / "lambda.keras").read_bytes()
    bundle = edited(**signed(data))
    (bundle / "weights.keras").write_bytes(data)
    with pytest.raises(WeightsCorrupt, match="holds no stran network"):
        load_bundle(bundle)


def test_an_architecture_nobody_registered_is_refused_by_name(edited: Edited) -> None:
    with pytest.raises(WeightsCorrupt, match=r"'resnet'.*known: .*stran"):
        load_bundle(edited(architecture="resnet"))


def test_a_block_that_the_network_lacks_cannot_make_the_map(edited: Edited) -> None:
    with pytest.raises(WeightsCorrupt, match="block9"):
        load_bundle(edited(attention=["block9"]))


def test_without_attention_the_map_is_grad_cam_and_is_called_so(edited: Edited) -> None:
    answer = load_bundle(edited(attention=[])).predict(cine())
    assert answer.explained_by is Method.GRADCAM
    assert answer.attention is not None
    assert answer.attention_method.startswith("Grad-CAM, not attention")
    assert any(
        "the map is made by Grad-CAM: this model exposes no attention" in note for note in answer.notes
    )


def test_without_attention_and_without_a_framework_there_is_no_map_and_the_reason(edited: Edited) -> None:
    answer = load_bundle(edited(attention=[]), rung=LAST).predict(cine())
    assert answer.attention is None
    assert answer.attention_method == ""
    assert "Grad-CAM needs the network's framework" in answer.why_no_map


def test_the_manifest_survives_as_plain_json(shipped: Path) -> None:
    plain = json.loads((shipped / "manifest.json").read_text())
    assert plain["demonstration"] is True
    assert plain["preprocessing"]["spacing_mm"] == 2.0


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, while it saves
@pytest.mark.parametrize(
    ("shape", "units", "number", "reason"),
    [
        ((4,), 1, 0.0, r"it takes \(4,\), and its recipe prepares \(20, 10, 64, 64, 1\)"),
        ((20, 10, 64, 32, 1), 1, 0.0, r"it takes \(20, 10, 64, 32, 1\)"),
        ((20, 10, 64, 64, 1), 2, 0.0, "numbers instead of one"),
        ((20, 10, 64, 64, 1), 1, float("nan"), "weights that are not finite numbers"),
    ],
)
def test_a_network_of_another_shape_or_without_numbers_is_refused(
    shape: tuple[int, ...], units: int, number: float, reason: str, edited: Edited, tmp_path: Path
) -> None:
    import keras

    inputs = keras.Input(shape)
    network = keras.Model(
        inputs, keras.layers.Dense(units, bias_initializer=keras.initializers.Constant(number))(inputs)
    )
    network.save(tmp_path / "other.keras")
    data = (tmp_path / "other.keras").read_bytes()
    bundle = edited(**signed(data), attention=[])
    (bundle / "weights.keras").write_bytes(data)
    with pytest.raises(WeightsCorrupt, match=reason):
        load_bundle(bundle)
