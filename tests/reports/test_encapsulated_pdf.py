"""The PDF: the summary page's pixels on a sheet of A4, words that can be searched, and nobody's name."""

import io
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset

from reports import ReportContext
from reports.context import stable_uid
from reports.pdf_page import pdf_page
from tests.peers.presence import program
from tests.reports.extras import asking_for, of_kind, saved
from tests.reports.scans import model, small_context
from tests.reports.tree import code, wrong_meanings

WANTED = asking_for("pdf")


def pdf_of(document: Dataset) -> bytes:
    content: bytes = document.EncapsulatedDocument[: document.EncapsulatedDocumentLength]
    return content


def run(name: str, *arguments: str) -> str:
    done = subprocess.run([program(name), *arguments], check=True, capture_output=True, encoding="utf-8")
    return done.stdout


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ReportContext:
    return small_context(tmp_path_factory.mktemp("pdf"), options=WANTED)


@pytest.fixture(scope="module")
def document(context: ReportContext) -> Dataset:
    (made,) = of_kind(context, "pdf")
    return made


@pytest.fixture(scope="module")
def file(document: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.pdf"
    path.write_bytes(pdf_of(document))
    return path


def test_the_header_says_what_is_inside(document: Dataset) -> None:
    assert document.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert document.BurnedInAnnotation == "NO"
    assert document.Modality == "DOC"
    assert document.VerificationFlag == "UNVERIFIED"
    assert "RESEARCH USE ONLY" in document.DocumentTitle
    assert "RESEARCH USE ONLY" in document.SeriesDescription
    assert code(document) == ("122600", "DCM")
    assert wrong_meanings(document) == []


def test_its_sources_are_the_page_and_the_images_on_it(context: ReportContext, document: Dataset) -> None:
    (page,) = of_kind(context, "summary")
    cited = [item.ReferencedSOPInstanceUID for item in document.SourceInstanceSequence]
    shown = [item.ReferencedSOPInstanceUID for item in page.SourceImageSequence]
    assert cited == [page.SOPInstanceUID, *shown]


def test_an_invalid_uid_of_a_source_is_cited_as_it_came(tmp_path: Path) -> None:
    def leading_zero(image: Dataset) -> None:
        image.SOPInstanceUID = f"1.2.03.{image.InstanceNumber}"

    (document,) = of_kind(small_context(tmp_path, change=leading_zero, options=WANTED), "pdf")
    read = dcmread(io.BytesIO(saved(document, tmp_path / "odd.dcm").read_bytes()))
    cited = [str(item.ReferencedSOPInstanceUID) for item in read.SourceInstanceSequence]
    assert all(uid.startswith("1.2.03.") for uid in cited[1:])


def test_no_date_and_no_chance_is_in_it(document: Dataset, tmp_path: Path) -> None:
    (again,) = of_kind(small_context(tmp_path, options=WANTED), "pdf")
    assert pdf_of(again) == pdf_of(document)
    assert not re.search(rb"/(CreationDate|ModDate|ID)\b", pdf_of(document))


def test_no_patient_is_named_in_it(document: Dataset, tmp_path: Path) -> None:
    def somebody_else(image: Dataset) -> None:
        image.PatientName, image.PatientID, image.AccessionNumber = "Seacole^Mary", "S-1805", "B2"
        image.StudyInstanceUID = stable_uid("test", "another study")

    (other,) = of_kind(small_context(tmp_path, change=somebody_else, options=WANTED), "pdf")
    assert other.PatientName != document.PatientName
    assert pdf_of(other) == pdf_of(document)


def test_it_is_written_without_a_map_too(tmp_path: Path) -> None:
    silent = small_context(tmp_path, answer={"attention": None, "attention_method": ""}, options=WANTED)
    (document,) = of_kind(silent, "pdf")
    assert pdf_of(document).startswith(b"%PDF-1.4")


@pytest.mark.peers("pdfinfo")
def test_it_is_one_sheet_of_a4_on_its_side(file: Path) -> None:
    facts = dict(line.split(":", 1) for line in run("pdfinfo", str(file)).splitlines())
    assert facts["Pages"].strip() == "1"
    assert facts["Page size"].strip() == "841.89 x 595.276 pts (A4)"
    assert "RESEARCH USE ONLY" in facts["Title"]


@pytest.mark.peers("pdftotext")
def test_its_words_can_be_searched(file: Path) -> None:
    text = " ".join(run("pdftotext", str(file), "-").split())
    assert "RESEARCH USE ONLY: not for diagnosis" in text
    assert "probability of myocardial scar 87.3 %, above the operating threshold of 50.0 %" in text
    assert "Input: 4 slices x 5 phases, complete" in text
    assert "No patient is named on this page" in text


@pytest.mark.peers("pdftotext")
def test_long_sentences_stay_on_the_sheet(tmp_path: Path) -> None:
    demonstration = model(demonstration=True)
    context = small_context(tmp_path, answer={"model": demonstration}, options=WANTED)
    path = tmp_path / "page.pdf"
    path.write_bytes(pdf_of(of_kind(context, "pdf")[0]))
    boxes = re.findall(
        r'<word xMin="([\d.]+)" .*? xMax="([\d.]+)"', run("pdftotext", "-bbox", str(path), "-")
    )
    assert len(boxes) > 40
    assert all(0 < float(left) < float(right) < 841.89 for left, right in boxes)
    assert "no clinical data ever trained this model" in " ".join(run("pdftotext", str(path), "-").split())


@pytest.mark.peers("pdfimages")
def test_the_pages_pixels_are_in_it_without_loss(context: ReportContext, file: Path, tmp_path: Path) -> None:
    (page,) = of_kind(context, "summary")
    run("pdfimages", "-png", str(file), str(tmp_path / "image"))
    (path,) = tmp_path.glob("image-*.png")
    with Image.open(path) as stored:
        upright = np.asarray(stored)[::-1]  # stored from the bottom row up, and drawn the right way round
    assert upright.tobytes() == page.PixelData


@pytest.mark.peers("pdftoppm")
def test_a_picture_is_drawn_upright_and_in_its_own_shape(tmp_path: Path) -> None:
    red, green, blue, black = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)
    quarters = np.array([[red, green], [blue, black]], np.uint8).repeat(200, axis=0).repeat(100, axis=1)
    path = tmp_path / "page.pdf"
    path.write_bytes(pdf_page(quarters, "Heading", ["line"], "title", "test"))
    run("pdftoppm", "-png", "-r", "72", "-singlefile", str(path), str(tmp_path / "page"))
    with Image.open(tmp_path / "page.png") as drawn:
        sheet = np.asarray(drawn.convert("RGB"))
    places = {colour: np.argwhere((sheet == colour).all(axis=-1)) for colour in (red, green, blue)}
    (top, left), (bottom, right) = places[red].mean(axis=0), places[blue].mean(axis=0)
    assert top < bottom
    assert left == pytest.approx(right, abs=1)
    assert places[green].mean(axis=0) == pytest.approx((top, left + (bottom - top) / 2), abs=1)
    middle = (left + places[green].mean(axis=0)[1]) / 2
    assert middle == pytest.approx(sheet.shape[1] / 2, abs=1)


@pytest.mark.peers("dcm2pdf")
def test_dcmtk_takes_the_same_pdf_out(document: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "out.pdf"
    run("dcm2pdf", str(saved(document, tmp_path / "document.dcm")), str(out))
    assert out.read_bytes().rstrip(b"\0") == pdf_of(document)
