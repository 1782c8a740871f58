"""Labelled studies to examples: found in any layout, prepared once, and whatever does not fit refused."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from models.errors import StudyLost, TrainingRefused
from models.training.example_store import ExampleStore
from models.training.gathering import Gathered, gather
from models.training.groups import age_band, header_groups, is_phantom, maker
from models.training.labels import read_labels
from models.training.preparing import Prepare, PreparedStudy, prepare_study
from models.training.studies import Filed, FoundStudy, filed, find_studies, patient_digest
from pipeline.preprocessing import Preprocessing
from tests.models.hearts import RECIPE
from tests.models.phantom_studies import write_studies, write_table

Rows = list[dict[str, str]]
Gather = Callable[..., Gathered]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    """Four studies; read-only by agreement."""
    folder = tmp_path_factory.mktemp("studies")
    rows = write_studies(folder, 4)
    (folder / "notes.txt").write_text("no DICOM")
    return folder, rows


@pytest.fixture
def images(written: tuple[Path, Rows], tmp_path: Path) -> Path:
    """A folder of the same files in which a test may change things."""
    folder = tmp_path / "images"
    for path in written[0].rglob("*"):
        if path.is_file():
            place = folder / path.relative_to(written[0])
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    return folder


@pytest.fixture
def rows(written: tuple[Path, Rows]) -> Rows:
    return [dict(row) for row in written[1]]


@pytest.fixture
def gathered(images: Path, tmp_path: Path, prepared: list[str]) -> Gather:
    """Gathers as the command does, in this process, with a cache that stays for the test."""

    def watched(found: FoundStudy, recipe: Preprocessing) -> PreparedStudy:
        prepared.append(found.uid)
        return prepare_study(found, recipe)

    def gathered(rows: Sequence[dict[str, str]], prepare: Prepare = watched) -> Gathered:
        store = ExampleStore(tmp_path / "cache", RECIPE)
        labels = read_labels(write_table(tmp_path / "labels.csv", rows), "Scar", "ward")
        found = find_studies(images, store.files(), lambda *_: None, filed)
        return gather(labels, found, store, RECIPE, lambda *_: None, prepare)

    return gathered


@pytest.fixture
def prepared() -> list[str]:
    """The studies that were prepared from their files, as it happens."""
    return []


def test_studies_in_any_layout_become_examples_with_their_answers_and_groups(
    gathered: Gather, rows: Rows
) -> None:
    examples = gathered(rows).examples
    assert examples.cine.shape == (4, 6, 4, 16, 16)
    assert examples.label.tolist() == [False, True, False, True]
    assert examples.label_name == "Scar"
    assert examples.simulated
    assert examples.groups["ward"] == ("south", "north", "north", "south")
    assert examples.groups["field_strength"] == ("1.5 T",) * 4
    assert set(examples.groups) == {"sex", "age_band", "manufacturer", "field_strength", "ward"}
    for index in range(4):
        cine = examples.cine[index]
        assert cine.dtype == np.float16
        assert 0.99 < cine.max() <= 1
    assert len({examples.cine[index].tobytes() for index in range(4)}) == 4


def test_patients_are_digests_and_no_identity_is_in_the_cache(
    gathered: Gather, rows: Rows, tmp_path: Path
) -> None:
    examples = gathered(rows).examples
    assert examples.patients == tuple(patient_digest(row["patient_id"]) for row in rows)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "cache").iterdir())
    assert b"PHANTOM" not in kept
    assert examples.patients[0].encode() in kept


def test_a_second_run_reads_no_header_and_prepares_nothing(
    gathered: Gather, rows: Rows, prepared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = gathered(rows)
    assert len(prepared) == 4
    monkeypatch.setattr("models.training.studies.read_facts", None)
    again = gathered(rows)
    assert len(prepared) == 4
    for index in range(4):
        assert np.array_equal(first.examples.cine[index], again.examples.cine[index])


def test_a_study_of_which_an_image_changed_is_prepared_anew_and_no_other(
    gathered: Gather, rows: Rows, prepared: list[str], images: Path
) -> None:
    before = gathered(rows).examples.cine[0]
    path = next(iter(sorted((images / "0" / "0").iterdir())))
    image = dcmread(path)
    image.PixelData = bytes(len(image.PixelData))
    image.save_as(path)
    after = gathered(rows).examples.cine[0]
    assert prepared[4:] == [rows[0]["study_instance_uid"]]
    assert not np.array_equal(before, after)


def replaced(path: Path, content: bytes) -> None:
    """Another file of that name: HDF5 knows files that are open by their inode."""
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize("spoil", [b"not HDF5 at all", b""])
def test_a_damaged_cache_is_made_anew(
    gathered: Gather, rows: Rows, prepared: list[str], tmp_path: Path, spoil: bytes
) -> None:
    cine = gathered(rows).examples.cine[3]
    (kept,) = (tmp_path / "cache").glob("*.h5")
    replaced(kept, spoil)
    assert np.array_equal(gathered(rows).examples.cine[3], cine)
    assert len(prepared) == 8


def test_a_flipped_bit_in_a_kept_image_is_noticed(
    gathered: Gather, rows: Rows, prepared: list[str], tmp_path: Path
) -> None:
    cine = gathered(rows).examples.cine[2]
    (kept,) = (tmp_path / "cache").glob("*.h5")
    data = bytearray(kept.read_bytes())
    data[data.index(cine.tobytes()) + 1000] ^= 1
    replaced(kept, data)
    gathered(rows)
    assert len(prepared) == 8


def test_what_was_prepared_before_the_process_was_killed_is_gone_on_with(
    gathered: Gather, rows: Rows, prepared: list[str], tmp_path: Path
) -> None:
    def killed(found: FoundStudy, recipe: Preprocessing) -> PreparedStudy:
        if len(prepared) == 2:
            raise KeyboardInterrupt
        prepared.append(found.uid)
        return prepare_study(found, recipe)

    with pytest.raises(KeyboardInterrupt):
        gathered(rows, killed)
    assert not list((tmp_path / "cache").glob("*.h5"))
    assert len(gathered(rows).examples) == 4
    assert len(prepared) == 4


def test_a_study_that_cannot_be_prepared_is_left_out_with_its_reason_and_not_tried_again(
    gathered: Gather, rows: Rows, prepared: list[str], images: Path
) -> None:
    for path in sorted((images / "1" / "1").iterdir())[4:]:
        path.unlink()
    uid = rows[1]["study_instance_uid"]
    for _ in range(2):
        found = gathered(rows)
        assert len(found.examples) == 3
        assert found.left_out == {uid: found.left_out[uid]}
        assert "No short-axis cine" in found.left_out[uid]
    assert len(prepared) == 4


def test_a_study_that_was_lost_on_the_way_is_left_out_with_its_reason_and_tried_again(
    gathered: Gather, rows: Rows, prepared: list[str]
) -> None:
    uid = rows[1]["study_instance_uid"]

    def lost(found: FoundStudy, recipe: Preprocessing) -> PreparedStudy:
        if found.uid == uid:
            raise StudyLost("its decoder died")
        return prepare_study(found, recipe)

    first = gathered(rows, lost)
    assert (len(first.examples), first.left_out) == (3, {uid: "its decoder died"})
    again = gathered(rows)
    assert (len(again.examples), again.left_out, prepared) == (4, {}, [uid])


def test_a_file_whose_header_could_not_be_read_now_is_passed_over_and_looked_at_again(
    images: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ill = sorted((images / "0" / "0").iterdir())[0]

    def look(path: Path) -> Filed:
        if path == ill:
            raise StudyLost("its reader died")
        return filed(path)

    found = find_studies(images, {}, lambda *_: None, look)
    assert f"{ill} is passed over: its reader died" in caplog.text
    whole = find_studies(images, found.files, lambda *_: None, filed)
    assert len(whole.files) == len(found.files) + 1


def changed(rows: Rows, place: int, **values: str) -> Rows:
    return [row | values if index == place else row for index, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"study_instance_uid": "1.2.3"}, r"study 1\.2\.3 is labelled, and not among the images"),
        ({"patient_id": "SOMEBODY"}, "the label and the images name different patients"),
    ],
)
def test_labels_that_contradict_the_images_are_refused(
    gathered: Gather, rows: Rows, change: dict[str, str], said: str
) -> None:
    with pytest.raises(TrainingRefused, match=said) as refused:
        gathered(changed(rows, 2, **change))
    assert "SOMEBODY" not in str(refused.value)


def test_an_empty_patient_id_in_the_labels_is_taken_from_the_images(gathered: Gather, rows: Rows) -> None:
    assert gathered(changed(rows, 0, patient_id="")).examples.patients[0] == patient_digest("PHANTOM-00000")


def test_when_only_one_answer_can_be_prepared_there_is_nothing_to_learn(
    gathered: Gather, rows: Rows, images: Path
) -> None:
    for study in ("1", "3"):
        for path in sorted((images / "1" / study).iterdir())[1:]:
            path.unlink()
        (images / "1" / study / "x.dcm").write_bytes(b"")
    with pytest.raises(TrainingRefused, match="2 of 4 labelled studies could be prepared, and not both"):
        gathered([row for row in rows if row["study_instance_uid"] != ""])


def test_a_study_of_two_patients_is_left_out(rows: Rows, images: Path, tmp_path: Path) -> None:
    found = find_studies(images, {}, lambda *_: None, filed)
    study = replace(found.studies[rows[0]["study_instance_uid"]], patients=("a", "b"))
    with pytest.raises(Exception, match="the images name 2 different patients"):
        prepare_study(study, RECIPE)


def test_there_must_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(TrainingRefused, match="is no folder"):
        find_studies(tmp_path / "none", {}, lambda *_: None, filed)


def header(**values: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def test_groups_come_from_the_header_and_are_empty_where_it_does_not_say() -> None:
    known = header(
        PatientSex="F",
        PatientAge="064Y",
        Manufacturer="Siemens Healthineers",
        MagneticFieldStrength="2.89362",
    )
    assert header_groups(known) == {
        "sex": "F",
        "age_band": "60 to 79",
        "manufacturer": "SIEMENS",
        "field_strength": "2.9 T",
    }
    assert set(header_groups(header(PatientSex="?")).values()) == {""}
    assert header_groups(header(MagneticFieldStrength="15000"))["field_strength"] == "1.5 T"
    born = header(PatientBirthDate="19850702", StudyDate="20250701")
    assert header_groups(born)["age_band"] == "under 40"
    assert [age_band(years) for years in (None, -1, 0, 39, 40, 80, 151)] == [
        *("", "", "under 40", "under 40", "40 to 59", "80 and over", "")
    ]
    assert [maker(name) for name in ("GE MEDICAL SYSTEMS", "Philips Medical", "Agfa")] == [
        "GE",
        "PHILIPS",
        "Agfa",
    ]


def test_a_phantom_is_recognised_by_what_its_maker_writes(written: tuple[Path, Rows]) -> None:
    path = next(iter(sorted((written[0] / "0" / "0").iterdir())))
    assert is_phantom(dcmread(path, stop_before_pixels=True))
    assert not is_phantom(header(SoftwareVersions="syngo MR"))
