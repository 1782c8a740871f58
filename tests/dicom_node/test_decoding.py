"""Labelled studies are decoded apart: confined to their folder, and a death costs one study."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import yaml
from pydantic import ValidationError
from pydicom import dcmread

from dicom_node.config import load_settings
from dicom_node.config_sections import ModelSettings
from dicom_node.confinement.landlock import version
from dicom_node.decoding.decoder import decoding
from dicom_node.decoding.messages import Answer
from dicom_node.operate.labelled_examples import Source, examples_from, known_labels
from models.errors import StudyLost
from models.training.example_store import ExampleStore
from models.training.gathering import Gathered, gather
from models.training.labels import read_labels
from models.training.preparing import prepare_study
from models.training.studies import Filed, Say, filed, find_studies
from pipeline import PipelineError
from tests.models.hearts import RECIPE
from tests.models.phantom_studies import write_studies, write_table

Rows = list[dict[str, str]]


def silent(*_: object) -> None:
    """For those who do not watch."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    """Six studies; read-only by agreement."""
    folder = tmp_path_factory.mktemp("studies") / "images"
    return folder, write_studies(folder, 6)


@pytest.fixture
def landlock() -> None:
    try:
        version()
    except OSError as error:
        pytest.skip(f"no Landlock here: {error.strerror}")


def gathered(written: tuple[Path, Rows], tmp_path: Path, say: Callable[[int | None], Say]) -> Gathered:
    """As `dicom-node train` does it; `say` gets the number of the process when it is asked for news."""
    images, rows = written
    store = ExampleStore(tmp_path / "cache", RECIPE)
    labels = read_labels(write_table(tmp_path / "labels.csv", rows), "Scar")
    with decoding(images, tmp_path, ModelSettings()) as decoder:

        def told(what: str, done: int, total: int) -> None:
            say(decoder.pid)(what, done, total)

        found = find_studies(images, store.files(), told, decoder.filed)
        return gather(labels, found, store, RECIPE, told, decoder.prepared)


@pytest.mark.parametrize("confined", [True, False])
def test_what_is_decoded_apart_is_what_is_decoded_here(
    written: tuple[Path, Rows], tmp_path: Path, confined: bool
) -> None:
    images, _ = written
    here = find_studies(images, {}, silent, filed)
    with decoding(images, tmp_path, ModelSettings(confined=confined)) as decoder:
        assert decoder.pid is None
        apart = find_studies(images, {}, silent, decoder.filed)
        assert apart == here
        for study in here.studies.values():
            one, other = prepare_study(study, RECIPE), decoder.prepared(study, RECIPE)
            assert np.array_equal(one.cine, other.cine)
            assert (one.key, one.groups, one.simulated) == (other.key, other.groups, other.simulated)


def test_why_a_study_cannot_be_prepared_is_said_as_here(written: tuple[Path, Rows], tmp_path: Path) -> None:
    images, _ = written
    found = next(iter(find_studies(images / "0", {}, silent, filed).studies.values()))
    few = replace(found, paths=found.paths[:3])
    with pytest.raises(PipelineError) as here:
        prepare_study(few, RECIPE)
    with decoding(images, tmp_path, ModelSettings()) as decoder:
        with pytest.raises(PipelineError) as apart:
            decoder.prepared(few, RECIPE)
        assert decoder.pid is not None  # it lives on
    assert str(apart.value) == str(here.value)


@pytest.mark.usefixtures("landlock")
def test_it_reads_the_folder_and_what_links_in_it_lead_to_and_nothing_else(
    written: tuple[Path, Rows], tmp_path: Path
) -> None:
    source = sorted(written[0].rglob("*.dcm"))[0]
    images, elsewhere, linked = (tmp_path / name for name in ("images", "elsewhere.dcm", "linked.dcm"))
    images.mkdir()
    for path in (images / "own.dcm", elsewhere, linked):
        path.write_bytes(source.read_bytes())
    (images / "link.dcm").symlink_to(linked)
    with decoding(images, tmp_path, ModelSettings()) as decoder:
        there = [decoder.filed(one) for one in (images / "own.dcm", images / "link.dcm", elsewhere)]
        status = Path(f"/proc/{decoder.pid}/status").read_text()
    assert there == [filed(source), filed(source), Filed()]
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status


def test_a_decoder_that_dies_costs_its_own_study_and_the_next_run_tries_it_again(
    written: tuple[Path, Rows], tmp_path: Path
) -> None:
    pids: set[int | None] = set()

    def killing(pid: int | None) -> Say:
        def say(what: str, done: int, total: int) -> None:
            pids.add(pid)
            if what == "preparing studies" and done == 2:
                assert pid is not None
                os.kill(pid, signal.SIGSEGV)  # as a decoder does it to itself

        return say

    first = gathered(written, tmp_path, killing)
    lost = written[1][2]["study_instance_uid"]
    assert len(first.examples) == 5
    assert set(first.left_out) == {lost}
    assert (
        "the images ended the process that decodes them: the worker was ended by SIGSEGV"
        in first.left_out[lost]
    )
    assert len(pids - {None}) == 2
    again = gathered(written, tmp_path, lambda pid: silent)
    assert (len(again.examples), again.left_out) == (6, {})


def test_a_study_that_takes_more_memory_than_there_may_be_is_lost_alone(
    written: tuple[Path, Rows], tmp_path: Path
) -> None:
    images = tmp_path / "images"
    for path in sorted((written[0] / "0" / "0").iterdir()):
        image = dcmread(path)
        for name, side in (("small", image.Rows), ("large", 2048)):
            (images / name).mkdir(parents=True, exist_ok=True)
            image.StudyInstanceUID = f"1.2.{side}"
            image.Rows = image.Columns = side
            image.PixelData = image.PixelData if name == "small" else bytes(2 * side * side)
            image.save_as(images / name / path.name)
    studies = find_studies(images, {}, silent, filed).studies
    with decoding(images, tmp_path / "private", ModelSettings(memory_mb=512)) as decoder:
        with pytest.raises(StudyLost, match="they take more memory than there is"):
            decoder.prepared(studies["1.2.2048"], RECIPE)
        small = decoder.prepared(studies["1.2.32"], RECIPE)
    assert np.array_equal(small.cine, prepare_study(studies["1.2.32"], RECIPE).cine)


def test_the_commands_that_learn_and_judge_decode_so(written: tuple[Path, Rows], tmp_path: Path) -> None:
    """What `train`, `evaluate`, `compare` and `ablate` begin with, under a limit that their own process ignores."""
    rows = [dict(row) for row in written[1]]
    copytree(written[0], tmp_path / "images")
    for path in sorted((tmp_path / "images" / "0" / "0").iterdir()):
        image = dcmread(path)
        image.Rows = image.Columns = 2048
        image.PixelData = bytes(2 * 2048 * 2048)
        image.save_as(path)
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"data_dir": "data", "model": {"memory_mb": 512}}))
    source = Source(write_table(tmp_path / "labels.csv", rows), "Scar", tmp_path / "images")
    settings = load_settings(config)
    made = examples_from(source, known_labels(source, settings), RECIPE, settings, silent)
    assert len(made.examples) == 5
    [(uid, reason)] = made.left_out.items()
    assert uid == rows[0]["study_instance_uid"]
    assert reason == "the images cannot be decoded here: they take more memory than there is"


def test_whoever_stops_leaves_no_process_behind(written: tuple[Path, Rows], tmp_path: Path) -> None:
    pids: set[int | None] = set()

    def stopping(pid: int | None) -> Say:
        def say(what: str, done: int, total: int) -> None:
            pids.add(pid)
            if what == "preparing studies":
                raise KeyboardInterrupt

        return say

    with pytest.raises(KeyboardInterrupt):
        gathered(written, tmp_path, stopping)
    [pid] = pids - {None}
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("line", ["", "[]", '{"groups": []}', '{"cine": 3}'])
def test_an_answer_that_makes_no_sense_is_seen_to_be_none(line: str) -> None:
    with pytest.raises(ValidationError):
        Answer.from_json(line)
