"""Stored pixels become modality units, the same from every encoding."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless

from pipeline import CineVolume, Study, UnreadableInstance, assemble, find_stack, read_study
from pipeline.codestream import refuse_contradiction
from pipeline.decode import PixelReader
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from pipeline.planes import Plane
from tests.pipeline.files import facts_of, small_image, splice
from tests.pipeline.reencode import LOSSLESS, as_multi_frame, reencode

Files = Callable[[str], list[Path]]


def read(path: Path) -> np.ndarray:
    study = read_study([path])
    instance = study.instances[0].facts
    pixels = np.full((instance.rows, instance.columns), np.nan, np.float32)
    PixelReader(study).read(Plane(instance, instance.frames[0]), "slice 2, phase 7", pixels)
    return pixels


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "image.dcm"


@pytest.fixture(scope="module")
def three_slices(sunnybrook: Files, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Eight phases of three real slices, which say that there are eight."""
    folder = tmp_path_factory.mktemp("three_slices")
    paths = []
    for path in sunnybrook("SC-HF-I-4")[:60]:
        dataset = dcmread(path)
        if dataset.InstanceNumber % 20 in range(1, 9):
            dataset.CardiacNumberOfImages = 8
            paths.append(folder / path.name)
            dataset.save_as(paths[-1])
    return paths


def volume_of(study: Study) -> CineVolume:
    return assemble(study, find_stack(study.facts), allow_missing=False)


@pytest.fixture(scope="module")
def original(three_slices: list[Path]) -> CineVolume:
    return volume_of(read_study(three_slices))


@pytest.mark.data
@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.name)
def test_every_lossless_transfer_syntax_gives_the_same_volume(
    three_slices: list[Path], original: CineVolume, tmp_path: Path, syntax: str
) -> None:
    study = read_study([reencode(path, tmp_path, syntax) for path in three_slices])
    assert Counter(facts.transfer_syntax_uid for facts in study.facts) == {syntax: 24}
    assert volume_of(study).digest == original.digest


@pytest.mark.data
@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.name)
def test_unsigned_twelve_bit_pixels_survive_every_lossless_transfer_syntax(
    bivme: list[Path], tmp_path: Path, syntax: str
) -> None:
    expected = dcmread(bivme[0]).pixel_array.astype(np.float32)
    assert np.array_equal(read(reencode(bivme[0], tmp_path, syntax)), expected)


@pytest.mark.data
@pytest.mark.parametrize("legacy", [False, True])
def test_multi_frame_objects_give_the_same_volume(
    three_slices: list[Path], original: CineVolume, tmp_path: Path, legacy: bool
) -> None:
    volume = volume_of(read_study([as_multi_frame(three_slices[::-1], tmp_path, legacy=legacy)]))
    assert volume.digest == original.digest
    source = volume.sources[3][1]
    assert source.multiframe
    assert 1 <= source.frame <= 24


def test_rescale_signedness_and_photometric_interpretation_are_applied(path: Path) -> None:
    dataset = small_image()
    dataset.RescaleSlope, dataset.RescaleIntercept = "2.5", "-10"
    stored = np.arange(24, dtype=np.float32).reshape(4, 6)
    facts_of(dataset, path)
    assert np.array_equal(read(path), stored * 2.5 - 10)

    dataset.PixelRepresentation = 1
    dataset.PixelData = (np.arange(24) - 12).astype("<i2").tobytes()
    facts_of(dataset, path)
    assert np.array_equal(read(path), (stored - 12) * 2.5 - 10)


def test_monochrome1_is_turned_bright_side_up(path: Path) -> None:
    dataset = small_image()
    dataset.PhotometricInterpretation, dataset.BitsStored, dataset.HighBit = "MONOCHROME1", 12, 11
    facts_of(dataset, path)
    assert np.array_equal(read(path), 4095 - np.arange(24, dtype=np.float32).reshape(4, 6))


@pytest.mark.parametrize(
    ("keyword", "value", "reason"),
    [
        ("RescaleSlope", b"NaN", "rescale slope or intercept is not a number"),
        ("RescaleIntercept", b"many", "rescale slope or intercept is not a number"),
        ("RescaleSlope", b"0", "rescale slope or intercept is not a number"),
        ("RescaleSlope", b"1e30", "rescale slope or intercept is not a number"),
        ("PhotometricInterpretation", b"RGB", "photometric interpretation RGB"),
        ("PixelRepresentation", b"x", "cannot be decoded"),
        ("BitsStored", b"", "cannot be decoded"),
    ],
)
def test_pixels_that_cannot_be_trusted_name_their_place(
    path: Path, keyword: str, value: bytes, reason: str
) -> None:
    facts_of(small_image(), path)
    splice(path, keyword, value)
    with pytest.raises(UnreadableInstance, match=f"slice 2, phase 7: .*{reason}"):
        read(path)


COMPRESSED = [syntax for syntax in LOSSLESS if syntax.is_encapsulated]


@pytest.mark.data
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize("syntax", COMPRESSED, ids=lambda syntax: syntax.name)
def test_broken_compressed_pixels_name_their_place(sunnybrook: Files, tmp_path: Path, syntax: str) -> None:
    path = reencode(sunnybrook("SC-HF-I-4")[0], tmp_path, syntax)
    offset = read_study([path]).facts[0].pixel_offset
    content = path.read_bytes()
    path.write_bytes(content[: offset + 40] + bytes(len(content) - offset - 48) + content[-8:])
    with pytest.raises(UnreadableInstance, match=r"slice 2, phase 7: "):
        read(path)


@pytest.mark.data
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@pytest.mark.parametrize("syntax", COMPRESSED, ids=lambda syntax: syntax.name)
def test_compressed_pixels_of_another_size_name_their_place(
    sunnybrook: Files, tmp_path: Path, syntax: str
) -> None:
    path = reencode(sunnybrook("SC-HF-I-4")[0], tmp_path, syntax)
    splice(path, "Rows", b"200")
    with pytest.raises(UnreadableInstance, match=r"slice 2, phase 7: "):
        read(path)


CODED = [JPEG2000Lossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One simulated image, 32 x 32."""
    scan = Scan(slices=1, phases=1, matrix=(32, 32))
    return write_dicom(render(draw_heart(1), scan), tmp_path_factory.mktemp("plain"), Layout.GE)[0]


@pytest.mark.parametrize("syntax", CODED, ids=lambda uid: uid.name)
@pytest.mark.parametrize(("keyword", "value"), [("PhotometricInterpretation", "RGB"), ("Rows", 255)])
def test_a_codestream_that_contradicts_its_header_reaches_no_decoder(
    plain: Path, tmp_path: Path, syntax: str, keyword: str, value: object
) -> None:
    """GDCM would end the whole process over some of them."""
    path = reencode(plain, tmp_path, syntax)
    read(path)
    coded = dcmread(path)
    setattr(coded, keyword, value)
    coded.save_as(path)
    refused = "photometric interpretation RGB" if value == "RGB" else "codestream holds 32 x 32 pixels"
    with pytest.raises(UnreadableInstance, match=refused):
        read(path)


def test_a_codestream_of_several_components_or_of_none_is_refused(plain: Path, tmp_path: Path) -> None:
    coded = dcmread(reencode(plain, tmp_path, JPEG2000Lossless))
    whole = coded.PixelData
    start = whole.index(b"\xff\x4f\xff\x51")
    coded.PixelData = whole[: start + 40] + b"\0\3" + whole[start + 42 :]
    with pytest.raises(ValueError, match="3 components"):
        refuse_contradiction(coded, 0)
    coded.PixelData = whole[:start] + bytes(len(whole) - start)
    with pytest.raises(ValueError, match="no JPEG 2000 codestream"):
        refuse_contradiction(coded, 0)
