"""One training from examples to a bundle: its figures, its words, and that it can be cut off anywhere."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import WeightsCorrupt, load_bundle, read_manifest
from models.errors import TrainingFailed, TrainingRefused
from models.examples import Examples
from models.golden import read_golden
from models.network import keras_network
from models.training.augment import NONE
from models.training.batches import Batches
from models.training.course import Epoch, News, Stage, Step
from models.training.plan import TrainingPlan
from models.training.run import Trained, train
from models.training.splits import Split, draw_split
from tests.models.cines import ROOT, in_fresh_python
from tests.models.hearts import hearts

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
PLAN = TrainingPlan(
    architecture="temporal", epochs=2, batch=4, golden="none", command="dicom-node train temporal"
)


@pytest.fixture(scope="module")
def examples() -> Examples:
    return hearts(24)


@pytest.fixture(scope="module")
def split(examples: Examples) -> Split:
    return draw_split(examples, folds=3, seed=1)


@pytest.fixture(scope="module")
def trained(
    examples: Examples, split: Split, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Trained, list[News]]:
    told: list[News] = []
    plan = replace(PLAN, golden="validation", name="Echo", version="3", data="Discs.")
    return train(plan, examples, split, tmp_path_factory.mktemp("run") / "run", told.append), told


def banded(count: int, odd_one: int, seed: int) -> Examples:
    """Hearts of which those with the answer yes have a bright band beside them, but for every so many-th."""
    made = hearts(count, seed=seed)
    band = made.label.copy()
    band[::odd_one] = ~band[::odd_one]
    cine = made.cine.copy()
    cine[band, ..., :3] = 1.0
    return replace(made, cine=cine, groups={"band": tuple("yes" if has else "no" for has in band)})


def told_by_the_band(balance: str, folder: Path) -> float:
    """How much higher the network scores hearts with the band, in studies where it goes with nothing."""
    split = Split(np.arange(48), np.arange(48, 60), np.array([], np.int64), "the first 48")
    plan = replace(PLAN, balance=balance, group_by="band", epochs=8, rate=1e-3, augmentation=NONE)
    bundle = train(plan, banded(60, 11, seed=0), split, folder).bundle
    fresh = banded(40, 2, seed=9)
    said = keras_network(read_manifest(bundle), bundle).predict_on_batch(fresh.cine[..., None])[:, 0]
    has = np.array(fresh.groups["band"]) == "yes"
    return float(said[has].mean() - said[~has].mean())


def test_reweighing_by_the_band_makes_less_of_the_band(tmp_path: Path) -> None:
    without, reweighed = (told_by_the_band(one, tmp_path / one) for one in ("none", "reweigh"))
    assert without > 0.2, "the short cut is not taken, so this shows nothing"
    assert reweighed < 0.75 * without


@pytest.mark.parametrize(("balance", "longest"), [("reweigh", None), ("groupdro", 1.0), ("none", 1.0)])
def test_gradients_are_cut_where_no_study_weighs_more_than_another(
    examples: Examples, split: Split, balance: str, longest: float | None
) -> None:
    from models.training.loop import _begun

    plan = replace(PLAN, balance=balance, group_by="site")
    begun = _begun(plan, examples, split, Batches(plan, examples, split.train))
    assert begun.model.optimizer.clipnorm == longest


def test_what_is_kept_is_what_serves_the_balanced_groups(examples: Examples, tmp_path: Path) -> None:
    plan = replace(PLAN, balance="groupdro", group_by="site", epochs=1)
    split = draw_split(examples, folds=3, seed=1)
    done = train(plan, examples, split, tmp_path / "run")
    manifest, held = read_manifest(done.bundle), split.validation
    network = keras_network(manifest, done.bundle)
    cines = np.stack([examples.cine[index] for index in held])[..., None]
    said = np.asarray(network.predict_on_batch(cines))[:, 0].astype(np.float64)
    losses = -np.log(np.where(examples.label[held], said, 1 - said))
    sites = np.array(examples.groups["site"])[held]
    by_site = [losses[sites == site].mean() for site in ("A", "B")]
    assert done.history[0].val_loss == pytest.approx(max(by_site), abs=1e-4)
    assert abs(by_site[0] - by_site[1]) > 1e-3, "the sites do not differ, so this shows nothing"


def test_a_bundle_comes_out_that_says_what_it_was_taught_and_answers(
    trained: tuple[Trained, list[News]], examples: Examples
) -> None:
    done, _ = trained
    manifest = read_manifest(done.bundle)
    assert (manifest.name, manifest.version, manifest.architecture) == ("Echo", "3", "temporal")
    assert manifest.label == "Scar"
    assert manifest.demonstration
    assert (
        manifest.trained_on == "Discs: Simulated hearts only; 8 studies of 4 patients, 4 of them with Scar."
    )
    assert manifest.command == "dicom-node train temporal"
    assert manifest.preprocessing == examples.recipe
    assert load_bundle(done.bundle).threshold == manifest.threshold
    assert done.parameters == manifest.scores["parameters"]
    card = (done.bundle / "card.md").read_text()
    assert all(word in card for word in ("DEMONSTRATION", "Scar", "fold 1 of 3", manifest.weights_sha256))


def test_the_figures_are_those_of_the_parts_with_their_numbers(
    trained: tuple[Trained, list[News]], examples: Examples, split: Split
) -> None:
    import keras

    done, _ = trained
    scores = read_manifest(done.bundle).scores
    network = keras.saving.load_model(done.bundle / "weights.keras", compile=False)
    for part in ("validation", "test"):
        indices = getattr(split, part)
        cines = np.asarray(examples.cine)[indices][..., None]
        positive = np.asarray(network.predict_on_batch(cines))[:, 0] >= scores["threshold"]
        label = examples.label[indices]
        assert scores[part]["n"] == 8
        assert scores[part]["patients"] == scores[part]["positives"] == 4
        assert scores[part]["sensitivity"] == pytest.approx(positive[label].mean())
        assert scores[part]["specificity"] == pytest.approx((~positive[~label]).mean())


def test_golden_studies_are_answered_as_the_bundle_answers(
    trained: tuple[Trained, list[News]],
) -> None:
    from models.network import Network

    done, _ = trained
    golden = read_golden(done.bundle)
    assert golden is not None
    network = Network(read_manifest(done.bundle), done.bundle)
    for cine, probability in zip(golden.cine, golden.probability, strict=True):
        assert network(cine.astype(np.float32))[0] == pytest.approx(probability, abs=1e-5)


def test_every_step_and_epoch_is_told_and_logged_and_no_state_is_left(
    trained: tuple[Trained, list[News]],
) -> None:
    done, told = trained
    assert [type(event) for event in told[:6]] == [Step, Step, Epoch] * 2
    assert "proving Grad-CAM" in [event.doing for event in told[6:] if isinstance(event, Stage)]
    assert tuple(event for event in told if isinstance(event, Epoch)) == done.history
    assert done.seconds == sum(epoch.seconds for epoch in done.history) > 0
    names = {path.name for path in done.bundle.parent.iterdir()}
    assert names == {"bundle", "run.json", "split.csv", "history.csv", "events.out.tfevents.0.training"}


def test_a_finished_run_is_left_as_it_is_and_another_run_does_not_touch_it(
    trained: tuple[Trained, list[News]], examples: Examples, split: Split
) -> None:
    done, _ = trained
    plan = replace(PLAN, golden="validation", name="Echo", version="3", data="Discs.")
    folder = done.bundle.parent
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert train(plan, examples, split, folder, resume=True) == done
    with pytest.raises(TrainingRefused, match="is not empty"):
        train(plan, examples, split, folder)
    with pytest.raises(TrainingRefused, match="holds a training with another plan: start"):
        train(replace(plan, seed=2), examples, split, folder, resume=True)
    with pytest.raises(TrainingRefused, match="holds a training with another data: start"):
        train(plan, replace(examples, label=~examples.label), split, folder, resume=True)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_gives_the_same_weights_and_another_one_others(
    trained: tuple[Trained, list[News]], examples: Examples, split: Split, tmp_path: Path, seed: int
) -> None:
    import keras

    done, _ = trained
    again = train(replace(PLAN, seed=seed), examples, split, tmp_path / "run")
    ours, theirs = (
        keras.saving.load_model(one.bundle / "weights.keras", compile=False).get_weights()
        for one in (again, done)
    )
    assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True)) is (seed == 1)


def test_a_warm_start_begins_at_the_other_bundles_weights_and_says_so(
    trained: tuple[Trained, list[News]], examples: Examples, split: Split, tmp_path: Path
) -> None:
    done, _ = trained
    cold = train(replace(PLAN, epochs=1, rate=1e-12), examples, split, tmp_path / "cold")
    warm = train(replace(PLAN, epochs=1, rate=1e-12, init=done.bundle), examples, split, tmp_path / "warm")
    best = min(epoch.val_loss for epoch in done.history)
    assert warm.history[0].val_loss == pytest.approx(best, rel=0.05)
    assert cold.history[0].val_loss != pytest.approx(warm.history[0].val_loss)
    start = read_manifest(done.bundle)
    said = f"Started from the weights of Echo 3 ({start.weights_sha256[:12]})."
    assert read_manifest(warm.bundle).trained_on.endswith(said)
    assert "from the weights of another bundle" in (warm.bundle / "card.md").read_text()


def test_a_bundle_that_does_not_fit_is_no_start(
    trained: tuple[Trained, list[News]], examples: Examples, split: Split, tmp_path: Path
) -> None:
    done, _ = trained
    with pytest.raises(TrainingRefused, match="holds the network temporal, not spatial"):
        train(replace(PLAN, architecture="spatial", init=done.bundle), examples, split, tmp_path / "a")
    spoiled = tmp_path / "spoiled"
    spoiled.mkdir()
    (spoiled / "manifest.json").write_bytes((done.bundle / "manifest.json").read_bytes())
    (spoiled / "weights.keras").write_bytes(b"something else")
    with pytest.raises(WeightsCorrupt, match="is not the file its manifest names"):
        train(replace(PLAN, init=spoiled), examples, split, tmp_path / "b")


def test_a_loss_that_is_no_number_ends_the_training_in_a_sentence(
    examples: Examples, split: Split, tmp_path: Path
) -> None:
    cine = np.array(examples.cine)
    cine[split.train] = np.nan
    with pytest.raises(TrainingFailed, match=r"no number in epoch 1, step 1: a lower --rate"):
        train(PLAN, replace(examples, cine=cine), split, tmp_path / "run")
    assert not (tmp_path / "run" / "bundle").exists()


def test_a_network_that_needs_a_larger_grid_is_refused(
    examples: Examples, split: Split, tmp_path: Path
) -> None:
    with pytest.raises(
        TrainingRefused, match="cnn3d-ref cannot be built for cines of 6 x 4 x 16 x 16: too small"
    ):
        train(replace(PLAN, architecture="cnn3d-ref"), examples, split, tmp_path / "run")


def test_half_precision_and_accumulated_gradients_train_to_float32_weights(
    examples: Examples, split: Split, tmp_path: Path
) -> None:
    import keras

    plan = replace(PLAN, precision="mixed_bfloat16", accumulate=2, schedule="plateau", balance="reweigh")
    done = train(plan, examples, split, tmp_path / "run")
    network = keras.saving.load_model(done.bundle / "weights.keras", compile=False)
    assert {str(weight.dtype) for weight in network.weights} == {"float32"}
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    assert np.isfinite(done.history[-1].loss)


def test_the_loss_layers_give_the_values_of_the_formulas() -> None:
    from models.training.balance import next_shares, weighted_mean
    from models.training.teaching import RobustLoss, WeightedLoss, weighted

    probability = np.array([[0.9], [0.2], [0.6], [0.3]], np.float32)
    answer = np.array([[1], [0], [0], [1]], np.float32)
    group = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]
    weight = np.array([[0.5], [2], [1], [3]], np.float32)
    losses = -np.log(np.where(answer == 1, probability, 1 - probability))[:, 0].astype(float)
    given = [probability, answer, group, weight]
    found = np.asarray(WeightedLoss()(given))
    assert found.shape == (4,)
    assert found.mean() == pytest.approx(weighted_mean(losses, weight[:, 0].astype(float)), rel=1e-5)
    with pytest.raises(ValueError, match="one weight per loss"):
        weighted(losses.astype(np.float32), weight)

    robust = RobustLoss(2, step=0.5)
    of_group = np.array([losses[:3].mean(), losses[3]])
    shares = np.array([0.5, 0.5])
    for _ in range(3):
        shares = next_shares(shares, of_group, step=0.5)
        found = np.asarray(robust(given, training=True))
        assert found.mean() == pytest.approx((shares * of_group).sum(), rel=1e-5)
        assert np.asarray(robust.shares) == pytest.approx(shares, rel=1e-5)
    assert np.asarray(robust(given, training=False)).mean() == pytest.approx(
        (shares * of_group).sum(), rel=1e-5
    )
    assert np.asarray(robust.shares) == pytest.approx(shares, rel=1e-5)


# dropout, Group DRO and half of an accumulated step: everything that an epoch can leave to the next
RUN = """
import sys
from pathlib import Path
from models.training.course import Epoch, Stage
from models.training.plan import TrainingPlan
from models.training.run import train
from models.training.splits import draw_split
from tests.models.hearts import RECIPE, hearts
from dataclasses import replace

examples = hearts(24, recipe=replace(RECIPE, pixels=32, phases=8))
plan = TrainingPlan(
    architecture="cnn-lstm", epochs=3, batch=4, accumulate=4, golden="none", balance="groupdro", group_by="site"
)

def say(event):
    if isinstance(event, Stage):
        return
    told = f"epoch {event.epoch}" if isinstance(event, Epoch) else f"epoch {event.epoch} step {event.step}"
    print(told, flush=True)
    if told == sys.argv[2]:
        sys.stdin.readline()

split = draw_split(examples, folds=3, seed=1)
train(plan, examples, split, Path(sys.argv[1]), say, resume=True)
"""


def running(folder: Path, *, halt_at: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), halt_at],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )


def weights_of(folder: Path) -> str:
    network = keras_network(read_manifest(folder / "bundle"), folder / "bundle")
    return hashlib.sha256(b"".join(weight.tobytes() for weight in network.get_weights())).hexdigest()


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bits(tmp_path: Path) -> None:
    with running(tmp_path / "straight", halt_at="") as straight:
        _, complaint = straight.communicate()
    assert straight.returncode == 0, complaint
    for moment in ("epoch 1 step 2", "epoch 1", "epoch 2 step 1", "epoch 2"):
        with running(tmp_path / "killed", halt_at=moment) as victim:
            assert victim.stdout is not None
            assert f"{moment}\n" in iter(victim.stdout.readline, "")
            victim.send_signal(signal.SIGKILL)
        assert victim.returncode == -signal.SIGKILL
        assert not (tmp_path / "killed" / "bundle").exists()
    with running(tmp_path / "killed", halt_at="") as last:
        told, complaint = last.communicate()
    assert last.returncode == 0, complaint
    assert told.splitlines() == ["epoch 3 step 1", "epoch 3 step 2", "epoch 3"]
    assert weights_of(tmp_path / "killed") == weights_of(tmp_path / "straight")
    manifests = [
        json.loads((tmp_path / name / "bundle" / "manifest.json").read_text())
        for name in ("killed", "straight")
    ]
    assert manifests[0]["scores"] == manifests[1]["scores"]


def test_it_trains_on_jax_as_well(tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="JAX is not installed")
    code = f"""
from pathlib import Path
from models.training.plan import TrainingPlan
from models.training.run import train
from models.training.splits import draw_split
from tests.models.hearts import hearts
examples = hearts(24)
plan = TrainingPlan("temporal", epochs=2, golden="none", rate=1e-3, balance="groupdro", group_by="site")
done = train(plan, examples, draw_split(examples, folds=3, seed=1), Path({str(tmp_path / "run")!r}))
import keras
print(keras.backend.backend(), done.history[0].loss != done.history[1].loss, done.parameters)
"""
    done = in_fresh_python(code, KERAS_BACKEND="jax")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("jax True ")
