"""A batch that is shared out to several devices teaches what it teaches on one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.cines import in_fresh_python

pytestmark = pytest.mark.slow

CODE = """
import json, os
from pathlib import Path

import keras
import numpy as np

count, folder = int(os.environ["DEVICES"]), Path(os.environ["FOLDER"])
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    [processor] = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * count)

from models.training.loop import learn
from models.training.plan import TrainingPlan
from models.training.splits import draw_split
from tests.models.hearts import hearts

examples = hearts(24)
plan = TrainingPlan(
    architecture="temporal", epochs=2, batch=int(os.environ["BATCH"]), balance=os.environ["BALANCE"]
)
network, course = learn(plan, examples, draw_split(examples, folds=3, fold=1, seed=1), folder, lambda news: None)
np.savez(folder / "weights.npz", **{one.path.replace("/", " "): one.numpy() for one in network.variables})
sharding = getattr(network.variables[0].value, "sharding", None)
held_by = len(sharding.device_set) if sharding else 1
there = len(keras.distribution.list_devices())
print(json.dumps({"there": there, "held_by": held_by, "epochs": len(course.epochs)}))
"""


def trained(
    folder: Path, backend: str, devices: int, batch: int = 4, balance: str = "none"
) -> tuple[dict[str, int], Any, str]:
    """Two epochs on so many devices: how many there were and held the weights, the weights, what was said."""
    folder.mkdir()
    done = in_fresh_python(
        CODE,
        KERAS_BACKEND=backend,
        XLA_FLAGS=f"--xla_force_host_platform_device_count={devices}",
        DEVICES=str(devices),
        FOLDER=str(folder),
        BATCH=str(batch),
        BALANCE=balance,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), np.load(folder / "weights.npz"), done.stderr


@pytest.mark.parametrize(
    ("devices", "batch", "used", "balance"),
    [(3, 4, 2, "groupdro"), (2, 3, 1, "none")],
)
def test_several_devices_learn_what_one_learns(
    tmp_path: Path, devices: int, batch: int, used: int, balance: str
) -> None:
    _, alone, _ = trained(tmp_path / "alone", "jax", 1, batch, balance)
    facts, together, said = trained(tmp_path / "together", "jax", devices, batch, balance)
    assert facts == {"there": devices, "held_by": used, "epochs": 2}
    assert (f"of {devices} devices {used} are used" in said) is (used < devices)
    # batch norm takes this bias away again: its gradient is nothing but rounding, and Adam makes steps of it
    for name in set(alone) - {"stem_time bias"}:
        np.testing.assert_allclose(together[name], alone[name], rtol=0, atol=2e-6, err_msg=name)


def test_tensorflow_computes_on_the_first_and_says_so(tmp_path: Path) -> None:
    _, alone, _ = trained(tmp_path / "alone", "tensorflow", 1)
    facts, together, said = trained(tmp_path / "together", "tensorflow", 2)
    assert facts == {"there": 2, "held_by": 1, "epochs": 2}
    assert "2 devices are here, and one is used: KERAS_BACKEND=jax uses them all" in said
    for name in alone:
        assert np.array_equal(together[name], alone[name])
