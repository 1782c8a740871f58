"""Studies whose images are wrong: simulated ones in every layout and encoding, real ones where they are."""

import random
import zlib
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pydicom import Dataset, dcmread
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom
from tests.conftest import SHARED_DATA
from tests.dicom_node.receiving import Sent
from tests.fuzz.elements import Elements, elements_of, encoded
from tests.fuzz.image_wrongs import INSTANCE, STUDY, WRONGS
from tests.fuzz.mutations import spoiled_bytes
from tests.pipeline.reencode import LOSSLESS, reencode

SMALL = Scan(slices=3, phases=8, matrix=(32, 32))
_ENCAPSULATED = tuple(UID(syntax) for syntax in LOSSLESS if UID(syntax).is_encapsulated)
_MOST_REAL = 16


@dataclass(frozen=True)
class Image:
    """One good image, taken apart."""

    sop_class: str
    syntax: UID
    elements: Elements


@dataclass(frozen=True)
class SpoiledStudy:
    """What is sent for one study, and how many of its images are wrong."""

    uid: str
    sent: tuple[Sent, ...]
    wrong: int


def spoiled_study(seed: int, number: int) -> SpoiledStudy:
    """Study number `number` of a seed: always the same, wherever the same good images are."""
    rng = random.Random(f"{seed}/{number}")
    uid = f"1.2.826.0.1.3680043.8.498.{seed}.{number}"
    good = rng.choice(good_studies())()
    images = [_named(image, uid, index) for index, image in enumerate(good)]
    match rng.randrange(6):
        case 0 | 1 | 2:  # the same wrong in every image: what reads the study as a whole meets it
            wrongs, turn = rng.choices(WRONGS, k=rng.randrange(1, 3)), rng.random()
            sent = [_spoiled(image, wrongs, random.Random(turn)) for image in images]
        case 3:  # in some images
            spoiled = [rng.random() < 0.4 for _ in images]
            sent = [
                _spoiled(image, rng.choices(WRONGS, k=rng.randrange(1, 4)), rng) if bad else _whole(image)
                for image, bad in zip(images, spoiled, strict=True)
            ]
            return SpoiledStudy(uid, tuple(sent), sum(spoiled))
        case 4:  # another wrong in each
            sent = [_spoiled(image, rng.choices(WRONGS, k=rng.randrange(1, 3)), rng) for image in images]
        case _:  # bytes, anywhere
            sent = [_sent(image, spoiled_bytes(encoded(image.elements), rng)) for image in images]
    return SpoiledStudy(uid, tuple(sent), len(sent))


def _named(image: Image, study: str, index: int) -> Image:
    """The same image in a study of its own."""
    elements = deepcopy(image.elements)
    for element in elements:
        if element.tag == STUDY:
            element.value = study.encode()
        elif element.tag == INSTANCE:
            element.value = f"{study}.{index}".encode()
    return Image(image.sop_class, image.syntax, elements)


def _spoiled(
    image: Image, wrongs: Sequence[Callable[[Elements, random.Random], None]], rng: random.Random
) -> Sent:
    elements = deepcopy(image.elements)
    for wrong in wrongs:
        if elements:
            wrong(elements, rng)
    return _sent(image, encoded(elements), elements)


def _whole(image: Image) -> Sent:
    return _sent(image, encoded(image.elements))


def _sent(image: Image, body: bytes, elements: Elements | None = None) -> Sent:
    """The command tells what the data set tells, so that it comes in, unless that is unreadable."""
    told = {element.tag: element.value for element in elements or image.elements}
    study, instance = (told.get(tag, b"").decode("latin-1").strip("\0 ") for tag in (STUDY, INSTANCE))
    if image.syntax == DeflatedExplicitVRLittleEndian:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = packer.compress(body) + packer.flush()
    return Sent(study, instance, image.sop_class, image.syntax, body)


@cache
def good_studies() -> tuple[Callable[[], list[Image]], ...]:
    """Every kind of study there is to spoil; each is made when it is first asked for."""
    phantoms = [cache(lambda layout=layout: _phantom(layout)) for layout in Layout]
    packed = [cache(lambda syntax=syntax: _phantom(Layout.GE, syntax)) for syntax in _ENCAPSULATED]
    deflated = [cache(lambda: _phantom(Layout.SIEMENS, DeflatedExplicitVRLittleEndian))]
    folders = [SHARED_DATA / "sunnybrook" / "SC-HF-I-4" / "dicom", SHARED_DATA / "bivme" / "dicom"]
    real = [cache(lambda folder=folder: _real(folder)) for folder in folders if folder.exists()]
    return (*phantoms, *packed, *deflated, *real)


def _phantom(layout: Layout, syntax: UID = ExplicitVRLittleEndian) -> list[Image]:
    with TemporaryDirectory() as made:
        folder = Path(made)
        files = write_dicom(render(draw_heart(3), SMALL), folder, layout)
        if syntax.is_encapsulated:
            (folder / "packed").mkdir()
            files = [reencode(file, folder / "packed", syntax) for file in files]
        return [_image(dcmread(file), syntax) for file in files]


def _real(folder: Path) -> list[Image]:
    files = sorted(folder.rglob("*.dcm"))[:_MOST_REAL]
    return [_image(dataset, dataset.file_meta.TransferSyntaxUID) for dataset in map(dcmread, files)]


def _image(dataset: Dataset, syntax: UID) -> Image:
    return Image(str(dataset.SOPClassUID), syntax, elements_of(dataset))
