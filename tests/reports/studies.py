"""The studies that reports are proved on: scanners' layouts, dirt, and odd geometry, all read by the pipeline."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pipeline.phantom import Layout, Phantom, Scan, draw_heart, render, write_dicom
from reports import AttentionImages

Change = Callable[[Dataset], None]
_SCAN = Scan(slices=4, phases=8, matrix=(48, 40), spacing_mm=4.0)


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of study: a phantom in a scanner's layout, every file changed by `change`; how to show the map."""

    layout: Layout = Layout.GE
    change: Change = lambda image: None
    images: AttentionImages = "key_phase"

    def write(self, folder: Path) -> list[Path]:
        """The study's files."""
        paths = write_dicom(_phantom(), folder, self.layout)
        for path in paths:
            image = dcmread(path)
            self.change(image)
            image.save_as(path, enforce_file_format=True)
        return paths


@cache
def _phantom() -> Phantom:
    return render(draw_heart(7, scar=True), _SCAN)


def named(charset: str | list[str], name: str, description: str = "Heart") -> Change:
    """A patient whose name needs a character set."""

    def change(image: Dataset) -> None:
        image.SpecificCharacterSet = charset
        image.PatientName, image.StudyDescription = name, description

    return change


def verbatim(**values: str) -> Change:
    """Values that no library would write for us."""

    def change(image: Dataset) -> None:
        for keyword, value in values.items():
            tag = tag_for_keyword(keyword)
            assert tag is not None
            # as its own type a name would be split into parts
            vr = "LO" if dictionary_VR(keyword) == "PN" else dictionary_VR(keyword)
            image[tag] = DataElement(tag, vr, value, already_converted=True)

    return change


def without(*keywords: str) -> Change:
    """Attributes that the scanner left out."""

    def change(image: Dataset) -> None:
        for keyword in keywords:
            image.pop(keyword, None)

    return change


def feet_first(image: Dataset) -> None:
    """The same places in the patient, every image turned by half a turn."""
    _mirror(image, rows=True, columns=True)
    image.PatientPosition = "FFS"


def left_handed(image: Dataset) -> None:
    """Columns run from the other side, so that slice, row and column no longer make a right-handed system."""
    _mirror(image, rows=False, columns=True)


def apical_half_turned(image: Dataset) -> None:
    """Slices of one stack stored half a turn apart, that of the attention's peak unlike the middle one."""
    if image.AcquisitionNumber > _SCAN.slices // 2:
        _mirror(image, rows=True, columns=True)


def _mirror(image: Dataset, *, rows: bool, columns: bool) -> None:
    right, down = (np.array(image.ImageOrientationPatient[i : i + 3], float) for i in (0, 3))
    corner = np.array(image.ImagePositionPatient, float)
    spacing_down, spacing_right = (float(mm) for mm in image.PixelSpacing)
    pixels = image.pixel_array
    if columns:
        corner, right, pixels = corner + right * spacing_right * (image.Columns - 1), -right, pixels[:, ::-1]
    if rows:
        corner, down, pixels = corner + down * spacing_down * (image.Rows - 1), -down, pixels[::-1]
    image.ImagePositionPatient = [f"{mm:.6f}" for mm in corner]
    image.ImageOrientationPatient = [f"{cosine:.6f}" for cosine in (*right, *down)]
    image.PixelData = np.ascontiguousarray(pixels).tobytes()


def private(image: Dataset) -> None:
    """What makers put between the standard's attributes: huge, nested, of a wrong type, of no known block."""
    image.add(DataElement(0x00190010, "CS", "NeoAnon"))
    image.add(DataElement(0x00191001, "UN", b"\1\2\3" * 100_000))
    block = image.private_block(0x0029, "SOMEBODY ELSE", create=True)
    block.add_new(0x01, "OB", b"\0" * 1_000_000)
    inner = Dataset()
    inner.add(DataElement(0x00430010, "LO", "NESTED"))
    inner.add(DataElement(0x00431001, "DS", "1.5"))
    block.add_new(0x02, "SQ", Sequence([inner]))
    image.add(DataElement(0x00991201, "LO", "of a block nobody reserved"))


def long_texts(image: Dataset) -> None:
    """Texts of any length, in attributes that reach the results."""
    verbatim(
        PatientName="N" * 300 + "^" + "M" * 300,
        PatientID="P" * 64,
        ReferringPhysicianName="R" * 1000,
        AccessionNumber="A" * 40,
        StudyDescription="Herz\r\n" + "z" * 10_000,
        Manufacturer="m" * 200,
        StationName="s" * 100,
        SoftwareVersions="1\\2\\" + "3" * 500,
    )(image)


TYPE_2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
KANJI = "Yamada^Tarou=山田^太郎=やまだ^たろう"
SOURCES: dict[str, Source] = {
    **{
        f"layout {layout.value}": Source(layout)
        for layout in (Layout.GE, Layout.SIEMENS, Layout.PHILIPS, Layout.ENHANCED)
    },
    "single frames in motion": Source(images="all_phases"),
    "a multi-frame source in motion": Source(Layout.ENHANCED, images="all_phases"),
    "ISO_IR 100": Source(change=named("ISO_IR 100", "Müller^Jörg", "Herz, Übersicht")),
    "ISO 2022 IR 87": Source(change=named(["", "ISO 2022 IR 87"], KANJI, "心臓")),
    "GB18030": Source(change=named("GB18030", "Wang^XiaoDong=王^小东", "心脏")),
    "ISO_IR 192": Source(change=named("ISO_IR 192", "Ångström^Ø=山田", "Coração")),
    "type 2 absent": Source(change=without(*TYPE_2)),
    "sex U": Source(change=verbatim(PatientSex="U")),
    "dates 00000000": Source(change=verbatim(PatientBirthDate="00000000", StudyDate="00000000")),
    "dates 20120000": Source(change=verbatim(PatientBirthDate="19500000", StudyDate="20120000")),
    "feet first": Source(change=feet_first),
    "left-handed": Source(change=left_handed),
    "apical half turned": Source(change=apical_half_turned),
    "no frame of reference": Source(change=without("FrameOfReferenceUID", "PositionReferenceIndicator")),
    "no slice thickness": Source(change=without("SliceThickness", "SpacingBetweenSlices")),
    "private elements": Source(change=private),
    "long texts": Source(change=long_texts),
}
