"""`dicom-node train` as a researcher types it, on small simulated studies."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result as Invoked
from typer.testing import CliRunner

import dicom_node.cli.train as command
from dicom_node.cli import app
from models import load_bundle, read_manifest
from tests.dicom_node.kept_studies import keep_studies
from tests.models.phantom_studies import GRID, write_studies, write_table

pytestmark = [
    pytest.mark.slow,
    # TensorFlow's tensors answer NumPy 2's copy keyword with a warning whenever Keras saves a network
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
ROOT = Path(__file__).parents[2]
Rows = list[dict[str, str]]
Train = Callable[..., Invoked]


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    folder = tmp_path_factory.mktemp("studies")
    return folder, write_studies(folder, 12)


@pytest.fixture
def rows(studies: tuple[Path, Rows]) -> Rows:
    return [dict(row) for row in studies[1]]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({"data_dir": "data"}))
    return path


@pytest.fixture
def words(config: Path, tmp_path: Path, studies: tuple[Path, Rows]) -> list[str]:
    labels = write_table(tmp_path / "labels.csv", studies[1])
    given = ["--config", config, "train", "temporal", "--labels", labels, "--label-column", "Scar"]
    return [str(word) for word in (*given, "--out", tmp_path / "run", "--folds", "3", "--epochs", "1", *GRID)]


@pytest.fixture
def train(words: list[str], studies: tuple[Path, Rows]) -> Train:
    def invoke(*more: str, images: bool = True) -> Invoked:
        source = ["--images", str(studies[0])] if images else []
        return CliRunner().invoke(app, [*words, *source, *more])

    return invoke


def said_by(done: Invoked) -> str:
    """Its complaint in one line."""
    return " ".join(done.stderr.split())


def test_a_dry_run_shows_what_would_be_trained_and_trains_nothing(train: Train, tmp_path: Path) -> None:
    done = train("--dry-run", "--balance", "oversample", "--group-by", "ward")
    assert done.exit_code == 0, done.output
    assert "12 studies of 12 patients, simulated; Scar: 6 yes, 6 no" in done.output
    for told in (
        "ward: north",
        "field_strength: 1.5 T",
        "fold 1 of 3, by patient, dealt by seed 1",
        "parameters;",
    ):
        assert told in done.output
    assert not (tmp_path / "run").exists()


def test_a_bundle_comes_out_that_the_node_can_use_and_that_says_how_to_repeat_it(
    train: Train, tmp_path: Path
) -> None:
    done = train("--seed", "3", "--threshold-rule", "sensitivity=0.9", "--name", "Echo one")
    assert done.exit_code == 0, done.output
    assert "DEMONSTRATION" in done.output
    assert "epoch   1 of 1: loss" in done.output
    bundle = tmp_path / "run" / "bundle"
    manifest = read_manifest(bundle)
    assert load_bundle(bundle).identity.label == "Scar"
    assert manifest.threshold_rule.startswith("sensitivity of at least 0.9")
    assert manifest.command.startswith(
        "dicom-node train temporal --label-column Scar --labels labels.csv --images"
    )
    assert "--seed 3" in manifest.command
    assert "--name 'Echo one'" in manifest.command
    assert str(tmp_path) not in (bundle / "manifest.json").read_text() + (bundle / "card.md").read_text()

    assert "is not empty: resume" in said_by(train("--seed", "3"))
    again = train("--seed", "3", "--threshold-rule", "sensitivity=0.9", "--name", "Echo one", "--resume")
    assert again.exit_code == 0, again.output
    assert read_manifest(bundle) == manifest
    assert "a training with another plan" in said_by(train("--seed", "4", "--resume"))


def test_studies_can_come_from_the_nodes_own_archive_and_that_is_written_down(
    train: Train, studies: tuple[Path, Rows], config: Path
) -> None:
    keep_studies(config.parent / "data", studies[0])
    done = train("--from-archive", "--dry-run", images=False)
    assert done.exit_code == 0, done.output
    assert "12 studies of 12 patients" in done.output
    audit = CliRunner().invoke(app, ["--config", str(config), "audit", "list"]).output
    assert "12 labelled studies from the archive" in audit


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--from-archive",), 3, "either --images DIR or --from-archive"),
        (("--label-column", "LGE"), 1, "has no column 'LGE'"),
        (("--balance", "reweigh", "--group-by", "sex"), 1, "all training studies are of one group (sex: O)"),
        (("--balance", "reweigh", "--group-by", "race"), 1, "has no column 'race'"),
        (("--folds", "9"), 1, "and not both answers to Scar"),
        (("--pixels", "0"), 1, "spacing and sizes are positive"),
        (("--gain", "2"), 1, "gain and gamma are shares below 1"),
        (("--schedule", "magic"), 1, "schedule is one of cosine, plateau"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_a_sentence_and_nothing_is_made(
    train: Train, tmp_path: Path, more: tuple[str, ...], code: int, said: str
) -> None:
    done = train(*more)
    assert done.exit_code == code, done.output
    assert said in said_by(done)
    assert not (tmp_path / "run").exists()


def test_unknown_and_contradictory_studies_are_refused_before_anything_is_prepared(
    train: Train, rows: Rows, tmp_path: Path
) -> None:
    for change, said in (
        ({"study_instance_uid": "1.2.3"}, "study 1.2.3 is labelled, and not among the images"),
        ({"patient_id": rows[1]["patient_id"]}, "the label and the images name different patients"),
    ):
        write_table(tmp_path / "labels.csv", [rows[0] | change, *rows[1:]])
        done = train()
        assert done.exit_code == 1
        assert said in said_by(done)
        assert not list(tmp_path.rglob("*.h5"))


def test_a_split_can_come_from_a_file_and_must_give_every_part_both_answers(
    train: Train, rows: Rows, tmp_path: Path
) -> None:
    fair = [row | {"fold": str(place // 2 % 3 + 1)} for place, row in enumerate(rows)]
    done = train("--split", str(write_table(tmp_path / "split.csv", fair)), "--dry-run")
    assert "folds as a file gives them" in done.output
    unfair = [row | {"fold": str(place % 4 + 1)} for place, row in enumerate(rows)]
    done = train("--split", str(write_table(tmp_path / "split.csv", unfair)))
    assert done.exit_code == 1
    assert "and not both answers to Scar" in said_by(done)


def hears_control_c() -> None:
    """What a shell starts in the background is deaf to it, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_control_c_leaves_a_run_to_resume_and_says_how(words: list[str], studies: tuple[Path, Rows]) -> None:
    more = ["--images", str(studies[0]), "--epochs", "10000", "--patience", "10000"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "dicom_node", *words, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
        preexec_fn=hears_control_c,
    ) as running:
        assert running.stdout is not None
        next(line for line in running.stdout if line.startswith("epoch"))
        running.send_signal(signal.SIGINT)
        _, complaint = running.communicate()
    assert running.returncode == 1
    assert "the same command with --resume goes on" in " ".join(complaint.split())
    assert (Path(words[words.index("--out") + 1]) / "checkpoint.npz").exists()


def test_the_command_knows_every_option_by_one_name() -> None:
    from dicom_node.cli.option_groups import options_of
    from dicom_node.cli.train_wanted import Wanted

    names = [field.name for _, _, field in options_of(Wanted)]
    assert len(names) == len(set(names)) > 30
    assert command.train.__doc__
