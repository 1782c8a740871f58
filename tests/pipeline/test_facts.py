"""Header facts survive whatever a file says."""

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.uid import (
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from pipeline import InstanceFacts, UnreadableInstance, read_facts
from tests.pipeline.files import facts_of, small_image, splice
from tests.pipeline.reencode import as_multi_frame, reencode

Files = Callable[[str], list[Path]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "image.dcm"


@pytest.mark.data
def test_a_real_image_tells_its_place_and_time(sunnybrook: Files) -> None:
    path = sunnybrook("SC-HF-I-4")[0]
    facts = read_facts(path)
    frame = facts.frames[0]
    assert facts.unusable == ""
    assert (facts.rows, facts.columns, facts.declared_phases, facts.declared_images) == (256, 256, 20, 200)
    assert (frame.time_source, frame.time("TriggerTime"), frame.rr_ms) == ("TriggerTime", 10.0, 923.0)
    assert frame.spacing_mm == (1.2891, 1.2891)
    with path.open("rb") as file:
        file.seek(facts.pixel_offset)
        assert file.read(facts.pixel_length) == dcmread(path).PixelData


@pytest.mark.data
def test_uids_with_leading_zeros_are_kept_as_they_are(sunnybrook: Files) -> None:
    facts = read_facts(sunnybrook("SC-HF-I-1")[0])
    assert facts.study_instance_uid.split(".")[-1].startswith("0")


@pytest.mark.data
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.4.80"])
def test_pixels_are_located_in_every_encoding(sunnybrook: Files, tmp_path: Path, syntax: str) -> None:
    path = reencode(sunnybrook("SC-HF-I-4")[0], tmp_path, syntax)
    facts = read_facts(path)
    with path.open("rb") as file:
        file.seek(facts.pixel_offset)
        value = file.read(facts.pixel_length)
    dataset = dcmread(path)
    assert value.startswith(dataset.PixelData[: len(dataset.PixelData) - 8])
    assert facts.pixel_offset + facts.pixel_length == path.stat().st_size


@pytest.mark.data
def test_a_deflated_file_has_no_pixel_offset(sunnybrook: Files, tmp_path: Path) -> None:
    facts = read_facts(reencode(sunnybrook("SC-HF-I-4")[0], tmp_path, "1.2.840.10008.1.2.1.99"))
    assert (facts.pixel_offset, facts.pixel_length, facts.unusable) == (0, 0, "")
    assert len(facts.frames) == 1


@pytest.mark.data
def test_multi_frame_objects_tell_the_place_and_time_of_every_frame(
    sunnybrook: Files, tmp_path: Path
) -> None:
    paths = sunnybrook("SC-HF-I-1")[:40]
    single = [read_facts(path).frames[0] for path in paths]
    for legacy, source in ((False, "NominalCardiacTriggerDelayTime"), (True, "UnassignedTriggerTime")):
        facts = read_facts(as_multi_frame(paths, tmp_path, legacy=legacy))
        assert facts.multi_frame
        assert [frame.number for frame in facts.frames] == list(range(1, 41))
        assert [frame.position_mm for frame in facts.frames] == [frame.position_mm for frame in single]
        assert [frame.orientation for frame in facts.frames] == [frame.orientation for frame in single]
        assert [frame.rr_ms for frame in facts.frames] == [frame.rr_ms for frame in single]
        assert {frame.time_source for frame in facts.frames} == {source}
        assert [frame.time(source) for frame in facts.frames] == [
            frame.time("TriggerTime") for frame in single
        ]
        assert InstanceFacts.from_json(json.loads(json.dumps(facts.as_json()))) == facts


def test_facts_survive_a_database(path: Path) -> None:
    dataset = small_image()
    dataset.TriggerTime, dataset.NominalInterval = "12.5", "800"
    dataset.RescaleSlope, dataset.RescaleIntercept = "NaN", "0"
    facts = facts_of(dataset, path)
    assert facts.frames[0].rescale is None
    assert InstanceFacts.from_json(json.loads(json.dumps(facts.as_json(), allow_nan=False))) == facts


PHILIPS, GE_PHASE, GE_PLACE = "Philips Imaging DD 001", "GEMS_ACQU_01", "GEMS_RELA_01"


def with_private(group: int, creator: str, element: int, vr: str, value: object) -> Dataset:
    dataset = small_image()
    if creator:
        dataset.add_new((group, 0x10), "LO", creator)
    dataset.add_new((group, 0x1000 | element), vr, value)
    return dataset


def test_the_time_key_falls_back_along_the_chain(path: Path) -> None:
    dataset = small_image()
    assert facts_of(dataset, path).frames[0].times == (("InstanceNumber", 7.0),)
    dataset.add_new(0x00190010, "LO", GE_PHASE)
    dataset.add_new(0x001910D7, "SS", 4)
    dataset.add_new(0x20010010, "LO", PHILIPS)
    dataset.add_new(0x20011008, "IS", "5")
    dataset.TemporalPositionIdentifier = 6
    dataset.add_new(0x00209153, "FD", 150.25)
    dataset.TriggerTime = "150.5"
    assert facts_of(dataset, path).frames[0].times == (
        ("TriggerTime", 150.5),
        ("NominalCardiacTriggerDelayTime", 150.25),
        ("TemporalPosition", 6.0),
        ("PhilipsPhaseNumber", 5.0),
        ("GEPhaseNumber", 4.0),
        ("InstanceNumber", 7.0),
    )


@pytest.mark.parametrize(
    ("vr", "value"),
    [("SS", 12), ("UN", b"\x0c\x00"), ("UN", b"12"), ("LO", "12"), ("US", 12), ("SL", 12), ("IS", "12")],
)
def test_a_slice_count_is_read_whatever_type_it_was_given(path: Path, vr: str, value: object) -> None:
    assert facts_of(with_private(0x0021, GE_PLACE, 0x4F, vr, value), path).declared_slices == 12
    assert facts_of(with_private(0x0021, "", 0x4F, vr, value), path).declared_slices == 12


def test_a_slice_count_is_read_without_any_type(path: Path) -> None:
    dataset = with_private(0x2001, PHILIPS, 0x18, "SL", 49)
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    assert facts_of(dataset, path).declared_slices == 49


@pytest.mark.parametrize(
    ("creator", "vr", "value"),
    [
        ("SIEMENS MR SDS 01", "LO", "12"),
        (GE_PLACE, "LO", "BO1-3;SP1-3"),
        (GE_PLACE, "SS", -3),
        (GE_PLACE, "UN", b"\x01"),
    ],
)
def test_what_is_no_slice_count_is_not_taken_for_one(
    path: Path, creator: str, vr: str, value: object
) -> None:
    assert facts_of(with_private(0x0021, creator, 0x4F, vr, value), path).declared_slices is None


def test_private_elements_are_found_in_another_block(path: Path) -> None:
    dataset = small_image()
    dataset.add_new(0x00210010, "LO", "SIEMENS MR SDS 01")
    dataset.add_new(0x00210011, "LO", GE_PLACE)
    dataset.add_new(0x0021104F, "LO", "void")
    dataset.add_new(0x0021114F, "SS", 11)
    assert facts_of(dataset, path).declared_slices == 11


FIELDS = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "TriggerTime",
    "NominalInterval",
    "InstanceNumber",
    "SeriesNumber",
    "CardiacNumberOfImages",
    "ImagesInAcquisition",
    "Rows",
    "BitsAllocated",
    "SamplesPerPixel",
    "ImageType",
    "SeriesDescription",
    "PatientID",
    "AcquisitionTime",
    "AcquisitionDate",
    "EchoTime",
    "RescaleSlope",
)
HOSTILE = (
    b"",
    b"NaN",
    b"-1e999\\inf\\nan",
    b"\\\\\\\\\\\\",
    b"1\\2\\3\\4\\5\\6\\7\\8\\9",
    b"A" * 100_000,
    b"\xff\xfe\x00\x1b$B",
    b"-70000",
    b"1e30\\1e30\\1e30\\1e30\\1e30\\1e30",
    b"0\\0\\0\\0\\0\\0",
)


@pytest.mark.parametrize("value", HOSTILE, ids=[repr(value[:12]) for value in HOSTILE])
@pytest.mark.parametrize("field", FIELDS)
def test_a_hostile_value_is_never_more_than_an_unusable_image(path: Path, field: str, value: bytes) -> None:
    facts_of(small_image(), path)
    facts = read_facts(splice(path, field, value))
    assert len(facts.series_description) <= 128
    assert bool(facts.frames) != bool(facts.unusable)
    json.dumps(facts.as_json(), allow_nan=False)


@pytest.mark.filterwarnings("ignore:.*ncoding:UserWarning")
@pytest.mark.parametrize("value", [b"", b"ISO_IR 100\0\0", b"\\ISO 2022 IR 87", b"FOO", b"A" * 100_000])
def test_an_unknown_character_set_does_not_hide_an_image(path: Path, value: bytes) -> None:
    facts_of(small_image(), path)
    assert len(read_facts(splice(path, "SpecificCharacterSet", value)).frames) == 1


@pytest.mark.parametrize("value", [value for value in HOSTILE if value.strip(b"\\")])
def test_a_hostile_uid_is_kept_or_refused(path: Path, value: bytes) -> None:
    facts_of(small_image(), path)
    splice(path, "StudyInstanceUID", value)
    if len(value) > 256:
        with pytest.raises(UnreadableInstance, match="StudyInstanceUID is longer than 256"):
            read_facts(path)
    else:
        assert read_facts(path).study_instance_uid


def test_a_uid_that_is_a_path_is_only_text(path: Path) -> None:
    facts_of(small_image(), path)
    assert read_facts(splice(path, "StudyInstanceUID", b"../../x")).study_instance_uid == "../../x"


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
def test_a_file_that_belongs_nowhere_is_unreadable(path: Path, keyword: str) -> None:
    dataset = small_image()
    dataset.save_as(path, enforce_file_format=True)
    broken = dcmread(path)
    del broken[keyword]
    broken.save_as(path)
    with pytest.raises(UnreadableInstance, match=f"no {keyword}"):
        read_facts(path)


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_an_image_without_a_place_is_not_usable(path: Path, keyword: str) -> None:
    dataset = small_image()
    del dataset[keyword]
    facts = facts_of(dataset, path)
    assert facts.frames == ()
    assert facts.unusable == "1 of 1 planes have no position, orientation or pixel spacing"


def test_huge_declared_dimensions_are_not_usable(path: Path) -> None:
    dataset = small_image()
    dataset.Rows = dataset.Columns = 65535
    assert facts_of(dataset, path).unusable == "65535 x 65535 is not a size an image can have"


def test_wrong_rows_are_not_usable(path: Path) -> None:
    dataset = small_image()
    for rows, needed in ((8, 96), (2, 24)):
        dataset.Rows = rows
        facts = facts_of(dataset, path)
        assert facts.unusable == f"the pixel data holds 48 bytes where the header promises {needed}"


@pytest.mark.data
@pytest.mark.parametrize("frames", ["0", "-5", "999999999", "abc", "1e9"])
def test_an_absurd_number_of_frames_is_not_usable(sunnybrook: Files, tmp_path: Path, frames: str) -> None:
    path = as_multi_frame(sunnybrook("SC-HF-I-4")[:2], tmp_path)
    facts = read_facts(splice(path, "NumberOfFrames", frames.encode()))
    assert facts.frames == ()
    assert facts.unusable == "the number of frames is missing or not a number"


@pytest.mark.data
def test_frames_without_a_place_are_left_out_and_counted(sunnybrook: Files, tmp_path: Path) -> None:
    path = as_multi_frame(sunnybrook("SC-HF-I-4")[:3], tmp_path)
    dataset = dcmread(path)
    del dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence
    facts = facts_of(dataset, path)
    assert [frame.number for frame in facts.frames] == [1, 3]
    assert facts.unusable.startswith("1 of 3 planes")


def test_other_classes_have_a_reason_instead_of_frames(path: Path) -> None:
    dataset = small_image()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    facts = facts_of(dataset, path)
    assert facts.frames == ()
    assert facts.unusable == "objects of class 1.2.840.10008.5.1.4.1.1.7 are not analysed"
    colour = small_image()
    colour.SamplesPerPixel = 3
    assert facts_of(colour, path).unusable == "colour images are not analysed"


def test_a_file_cut_off_within_its_pixels_is_not_usable(path: Path) -> None:
    facts_of(small_image(), path)
    path.write_bytes(path.read_bytes()[:-10])
    assert read_facts(path).unusable == "the file is cut off within its pixel data"


def test_a_file_without_pixels_is_not_usable(path: Path) -> None:
    dataset = small_image()
    del dataset.PixelData
    assert facts_of(dataset, path).unusable == "the file has no pixel data"


@pytest.mark.parametrize(
    "content", [b"", b"garbage" * 100, bytes(132), bytes(128) + b"DICM", bytes(128) + b"DICM\xff\xff"]
)
def test_garbage_is_unreadable(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(UnreadableInstance):
        read_facts(path)


def test_a_missing_file_is_unreadable(path: Path) -> None:
    with pytest.raises(UnreadableInstance, match="not readable"):
        read_facts(path)


def test_deeply_nested_sequences_are_unreadable(path: Path) -> None:
    facts_of(small_image(), path)
    # (0040,0260) with an item of undefined length that holds the same again
    opened = b"\x40\x00\x60\x02SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 3000
    content = path.read_bytes()
    at = content.index(b"\xe0\x7f\x10\x00")
    path.write_bytes(content[:at] + opened)
    with pytest.raises(UnreadableInstance, match="too deeply"):
        read_facts(path)


def test_a_deflated_bomb_is_refused_before_it_inflates(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.reading._LARGEST_DATASET", 2**25)
    dataset = small_image()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    dataset.save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    header = 132 + 12 + int.from_bytes(content[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    path.write_bytes(content[:header] + packer.compress(bytes(2**26)) + packer.flush())
    with pytest.raises(UnreadableInstance, match="inflates to more than"):
        read_facts(path)


def test_lossy_files_are_flagged(path: Path) -> None:
    dataset = small_image()
    assert not facts_of(dataset, path).lossy
    dataset.LossyImageCompression = "01"
    assert facts_of(dataset, path).lossy


def test_the_senders_title_is_read_from_the_file_meta_information(path: Path) -> None:
    dataset = small_image()
    dataset.file_meta.SourceApplicationEntityTitle = "SCANNER1"
    assert facts_of(dataset, path).source_ae_title == "SCANNER1"


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(
        st.tuples(st.integers(132, 900), st.binary(min_size=1, max_size=6)), min_size=1, max_size=4
    ),
    cut=st.integers(0, 1200),
)
def test_no_corruption_of_a_file_raises_anything_else(
    tmp_path: Path, edits: list[tuple[int, bytes]], cut: int
) -> None:
    path = tmp_path / "image.dcm"
    small_image().save_as(path, enforce_file_format=True)
    content = bytearray(path.read_bytes())
    for offset, patch in edits:
        content[offset : offset + len(patch)] = patch
    path.write_bytes(bytes(content[: max(140, len(content) - cut)]) if cut % 3 == 0 else bytes(content))
    try:
        facts = read_facts(path)
    except UnreadableInstance:
        return
    assert facts.study_instance_uid
    json.dumps(facts.as_json(), allow_nan=False)
