"""The summary page as an Encapsulated PDF (PS3.3 A.45.1), to print or to read outside a viewer."""

from typing import Final

import numpy as np
from highdicom.base import SOPClass
from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from reports import codes
from reports.draft import Draft
from reports.equipment import coded
from reports.lettering import typeface, wrapped
from reports.overlay import Picture
from reports.pdf_page import LINE_POINTS, LINE_WIDTH_POINTS, pdf_page
from reports.wording import banner, research_note, series_description, summary

SERIES_NUMBER: Final = 907
_NOBODY = "No patient is named on this page: keep it with the study it came from."


def build(draft: Draft, page: Dataset) -> list[Dataset]:
    """The document, in which the pixels of `page`, the sealed summary page, are kept without loss."""
    document = _frame(draft)
    title = f"Myocardial scar on cardiac cine MR, summary: {banner(draft.model)}"
    content = pdf_page(
        _pixels(page),
        f"{banner(draft.model)}: not for diagnosis",
        _lines(draft),
        title,
        f"{draft.equipment.model_name} {draft.equipment.software_version}",
    )
    document.ConversionType = "WSD"
    document.BurnedInAnnotation = "NO"  # means: no patient identity on the page
    document.RecognizableVisualFeatures = "NO"
    document.AcquisitionDateTime = ""
    document.DocumentTitle = title
    document.ConceptNameCodeSequence = [coded(codes.CARDIOVASCULAR_REPORT)]
    document.VerificationFlag = "UNVERIFIED"
    document.SourceInstanceSequence = _sources(draft, page)
    document.MIMETypeOfEncapsulatedDocument = "application/pdf"
    document.EncapsulatedDocumentLength = len(content)
    document.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    return [draft.seal(document)]


def _frame(draft: Draft) -> SOPClass:
    """Patient, study, series and equipment; highdicom has no class for documents."""
    equipment = draft.equipment
    return SOPClass(
        study_instance_uid=draft.ids.of(draft.study_instance_uid),
        series_instance_uid=draft.uid("pdf", "series"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=draft.uid("pdf", "instance"),
        sop_class_uid=EncapsulatedPDFStorage,
        instance_number=1,
        modality="DOC",
        manufacturer=equipment.manufacturer,
        manufacturer_model_name=equipment.model_name,
        software_versions=equipment.software_version,
        device_serial_number=equipment.serial_number,
        series_description=series_description(draft.model, "PDF summary"),
        patient_birth_date="",
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set="ISO_IR 192",
    )


def _pixels(page: Dataset) -> Picture:
    return np.frombuffer(page.PixelData, np.uint8, page.Rows * page.Columns * 3).reshape(
        page.Rows, page.Columns, 3
    )


def _lines(draft: Draft) -> list[str]:
    """The page's own sentences as text, so that the document can be searched and read aloud."""
    context = draft.context
    sentences = (
        summary(context.prediction),
        f"Input: {context.quality.completeness}",
        research_note(draft.model),
        _NOBODY,
    )
    font = typeface(LINE_POINTS)
    return [line for sentence in sentences for line in wrapped(sentence, font, LINE_WIDTH_POINTS)]


def _sources(draft: Draft, page: Dataset) -> list[Dataset]:
    """The page, and the images shown on it."""
    return [
        _reference(draft, page.SOPClassUID, page.SOPInstanceUID),
        *(
            _reference(draft, image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID)
            for image in page.SourceImageSequence
        ),
    ]


def _reference(draft: Draft, sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class_uid
    item.ReferencedSOPInstanceUID = draft.ids.of(sop_instance_uid)
    return item
