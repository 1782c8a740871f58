"""The map as numbers and its strongest region: read back by dcmqi, honest about what they are."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from pipeline import assemble, find_stack, read_study
from reports import ExtraObject, ReportContext, ReportOptions, build_reports, parametric_map, segmentation
from reports.charset import text_of
from reports.draft import Draft
from tests.peers.dcmqi import Grid, paramap2itkimage, segimage2itkimage
from tests.reports.scans import (
    FRAME_UID,
    GEOMETRY,
    NOW,
    PHASES,
    SLICES,
    attention_at,
    context_of,
    model,
    one_multiframe,
    prediction,
    single_frames,
    small_context,
)
from tests.reports.tree import code, evidence, named

MAPS = ReportOptions(extra_objects=("segmentation", "parametric_map"))


def maps_of(context: ReportContext) -> dict[str, Dataset]:
    """The parametric map and the segmentation, by kind."""
    draft = Draft.of(context)
    made = {"parametric_map": parametric_map.build(draft), "segmentation": segmentation.build(draft)}
    return {kind: dataset for kind, dataset in made.items() if dataset is not None}


def saved(dataset: Dataset, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    dataset.save_as(folder / "object.dcm", enforce_file_format=True)
    return folder / "object.dcm"


def by_dcmqi(context: ReportContext, folder: Path) -> tuple[Grid, Grid]:
    """Parametric map and segmentation as dcmqi reads them."""
    maps = maps_of(context)
    numbers = paramap2itkimage(saved(maps["parametric_map"], folder / "map"), folder / "numbers")
    region = segimage2itkimage(saved(maps["segmentation"], folder / "region"), folder / "outline")
    return numbers, region


def peak(context: ReportContext) -> np.ndarray[Any, Any]:
    attention = context.prediction.attention
    assert attention is not None
    return attention.max(axis=0)


def agree(context: ReportContext, numbers: Grid, region: Grid) -> None:
    """Every slice holds the greatest attention of its phases, and half the greatest of all bounds the region."""
    expected = peak(context)
    assert numbers.values.shape == region.values.shape == expected.shape
    for slice_, origin in enumerate(context.volume.geometry.origins_mm):
        assert (numbers.slice_at(origin) == expected[slice_]).all()
        assert (region.slice_at(origin) == (expected[slice_] >= expected.max() / 2)).all()


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ReportContext:
    return small_context(tmp_path_factory.mktemp("maps"), options=MAPS)


@pytest.fixture(scope="module")
def maps(context: ReportContext) -> dict[str, Dataset]:
    return maps_of(context)


def test_dcmqi_reads_the_values_where_the_source_lies(context: ReportContext, tmp_path: Path) -> None:
    numbers, region = by_dcmqi(context, tmp_path)
    agree(context, numbers, region)
    for grid in (numbers, region):
        assert grid.image.GetSpacing() == pytest.approx((1.25, 1.5, 10.0))
        assert np.array(grid.image.GetDirection()).reshape(3, 3).T[:2] == pytest.approx(
            np.array([GEOMETRY.directions[2], GEOMETRY.directions[1]])
        )


def test_dcmqi_reads_a_stack_that_runs_against_its_normal(tmp_path: Path) -> None:
    given = small_context(tmp_path / "in", options=MAPS)
    through, *in_plane = GEOMETRY.directions
    turned = replace(
        GEOMETRY,
        origins_mm=GEOMETRY.origins_mm[::-1],
        directions=(tuple(-x for x in through), *in_plane),  # type: ignore[arg-type]
    )
    context = replace(given, volume=replace(given.volume, geometry=turned))
    agree(context, *by_dcmqi(context, tmp_path))
    assert _sources_by_position(context) == {
        origin: [row[slice_].sop_instance_uid for row in context.volume.sources]
        for slice_, origin in enumerate(turned.origins_mm)
    }


def _sources_by_position(context: ReportContext) -> dict[tuple[float, ...], list[str]]:
    frames = maps_of(context)["parametric_map"].PerFrameFunctionalGroupsSequence
    return {
        tuple(float(x) for x in frame.PlanePositionSequence[0].ImagePositionPatient): [
            source.ReferencedSOPInstanceUID for source in frame.DerivationImageSequence[0].SourceImageSequence
        ]
        for frame in frames
    }


def test_a_frame_was_made_of_its_slice_at_every_phase(
    maps: dict[str, Dataset], context: ReportContext
) -> None:
    for image in maps.values():
        frames = image.PerFrameFunctionalGroupsSequence
        assert len(frames) == image.NumberOfFrames == SLICES
        for frame in frames:
            (derived,) = frame.DerivationImageSequence
            assert len(derived.SourceImageSequence) == PHASES
            assert "ST-RAN 1.0.0" in derived.DerivationDescription
    assert _sources_by_position(context) == {
        origin: [row[slice_].sop_instance_uid for row in context.volume.sources]
        for slice_, origin in enumerate(GEOMETRY.origins_mm)
    }


def test_the_frames_used_of_a_multi_frame_source_are_named(tmp_path: Path) -> None:
    context = small_context(tmp_path, write=one_multiframe, options=MAPS)
    for image in maps_of(context).values():
        used = {
            tuple(frame.PlanePositionSequence[0].ImagePositionPatient): [
                source.ReferencedFrameNumber
                for source in frame.DerivationImageSequence[0].SourceImageSequence
            ]
            for frame in image.PerFrameFunctionalGroupsSequence
        }
        assert used == {
            origin: list(range(1 + slice_ * PHASES, 1 + (slice_ + 1) * PHASES))
            for slice_, origin in enumerate(GEOMETRY.origins_mm)
        }


def test_slices_in_series_of_their_own_are_cited_by_series(tmp_path: Path) -> None:
    def apart(image: Dataset) -> None:
        image.SeriesInstanceUID = f"1.2.3.{image.InstanceNumber % SLICES}"

    for image in maps_of(small_context(tmp_path, change=apart, options=MAPS)).values():
        cited = {
            series.SeriesInstanceUID: len(series.ReferencedInstanceSequence)
            for series in image.ReferencedSeriesSequence
        }
        assert cited == {f"1.2.3.{k}": PHASES for k in range(SLICES)}


def test_the_map_says_that_it_is_saliency_from_0_to_1(maps: dict[str, Dataset]) -> None:
    (mapping,) = maps["parametric_map"].SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1.0, 0.0)
    assert mapping.DoubleFloatRealWorldValueFirstValueMapped == 0.0
    assert mapping.DoubleFloatRealWorldValueLastValueMapped == 1.0
    assert code(mapping, "MeasurementUnitsCodeSequence") == ("1", "UCUM")
    (quantity,) = mapping.QuantityDefinitionSequence
    assert code(quantity, "ConceptCodeSequence") == ("130404", "DCM")
    assert "maximum over time" in mapping.LUTExplanation


def test_the_region_is_never_called_scar(maps: dict[str, Dataset]) -> None:
    (segment,) = maps["segmentation"].SegmentSequence
    assert segment.SegmentLabel == "Salient region of the network, not a scar outline"
    assert code(segment, "SegmentedPropertyCategoryCodeSequence") == ("309825002", "SCT")
    assert code(segment, "SegmentedPropertyTypeCodeSequence") == ("C85402", "NCIt")
    meanings = [element.value.lower() for element in segment.iterall() if element.keyword == "CodeMeaning"]
    assert not any("scar" in meaning or "fibros" in meaning for meaning in meanings)


def test_the_region_names_the_algorithm_that_drew_it(maps: dict[str, Dataset]) -> None:
    (segment,) = maps["segmentation"].SegmentSequence
    (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
    assert (segment.SegmentAlgorithmType, segment.SegmentAlgorithmName) == ("AUTOMATIC", "ST-RAN")
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("ST-RAN", "1.0.0")
    assert "ab" * 32 in algorithm.AlgorithmParameters


def test_both_say_that_they_are_research_and_of_what(maps: dict[str, Dataset]) -> None:
    for image in maps.values():
        for said in (image.ImageComments, image.SeriesDescription, image.ContentDescription):
            assert "RESEARCH USE ONLY" in said
        assert image.FrameOfReferenceUID == FRAME_UID
        assert image.BodyPartExamined == "HEART"
        assert text_of(image, "PatientID") == "N-1820"
    assert {maps["parametric_map"].SeriesNumber, maps["segmentation"].SeriesNumber} == {903, 904}


def test_demonstration_weights_are_named_on_both(tmp_path: Path) -> None:
    context = small_context(tmp_path, answer={"model": model(demonstration=True)}, options=MAPS)
    for image in maps_of(context).values():
        assert "DEMONSTRATION WEIGHTS" in image.ContentDescription
        assert "DEMONSTRATION WEIGHTS" in image.ImageComments


def test_no_date_comes_from_the_machines_clock(maps: dict[str, Dataset]) -> None:
    known = {NOW.strftime("%Y%m%d"), "20260102", "18200512"}
    for image in maps.values():
        dates = {str(one.value)[:8] for one in image.iterall() if one.VR in ("DA", "DT") and one.value}
        assert dates <= known
        times = {str(one.value) for one in image.iterall() if one.VR == "TM" and one.value}
        assert times <= {NOW.strftime("%H%M%S"), "101112"}


def test_whatever_changes_a_byte_changes_every_uid_of_both(
    context: ReportContext, maps: dict[str, Dataset]
) -> None:
    later = maps_of(replace(context, now=context.now + timedelta(seconds=1)))
    assert not _own_uids(maps) & _own_uids(later)


def _own_uids(maps: dict[str, Dataset]) -> set[str]:
    return {
        str(element.value)
        for image in maps.values()
        for element in image.iterall()
        if element.keyword in ("SOPInstanceUID", "SeriesInstanceUID", "DimensionOrganizationUID")
        and element.value not in {image.ReferencedSeriesSequence[0].SeriesInstanceUID}
    }


def test_nothing_is_left_to_chance(context: ReportContext, maps: dict[str, Dataset]) -> None:
    again = maps_of(context)
    assert {kind: image.to_json() for kind, image in maps.items()} == {
        kind: image.to_json() for kind, image in again.items()
    }


def test_an_invalid_frame_of_reference_stays_as_it_came(tmp_path: Path) -> None:
    given = small_context(tmp_path, options=MAPS)
    context = replace(given, volume=replace(given.volume, frame_of_reference_uid="1.2.03"))
    assert [text_of(image, "FrameOfReferenceUID") for image in maps_of(context).values()] == ["1.2.03"] * 2


@pytest.mark.parametrize("lacking", ["map", "frame of reference"])
def test_where_there_is_nothing_to_hold_there_is_no_object(tmp_path: Path, lacking: str) -> None:
    answer: dict[str, Any] = {"attention": None, "attention_method": ""} if lacking == "map" else {}
    context = small_context(tmp_path, answer=answer, options=MAPS)
    if lacking == "frame of reference":
        context = replace(context, volume=replace(context.volume, frame_of_reference_uid=""))
    assert not {one.kind for one in build_reports(context)} & {"parametric_map", "segmentation"}


@pytest.mark.parametrize("asked", [(), ("parametric_map",), ("segmentation",)])
def test_only_what_is_asked_for_is_made(context: ReportContext, asked: tuple[ExtraObject, ...]) -> None:
    made = build_reports(replace(context, options=ReportOptions(extra_objects=asked)))
    assert [one.kind for one in made] == ["sr", "text", "summary", *["attention"] * SLICES, *asked]


@pytest.mark.parametrize("write", [single_frames, one_multiframe])
def test_the_report_names_them_as_its_explanation(tmp_path: Path, write: Any) -> None:
    made = build_reports(small_context(tmp_path, write=write, options=MAPS))
    document = made[0].dataset
    shown = [one.dataset.SOPInstanceUID for one in made if one.kind in MAPS.extra_objects]
    explained = [item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in named(document, "130401")]
    assert len(shown) == 2
    assert explained[1:] == shown
    assert set(explained) <= evidence(document)


@pytest.mark.data
def test_dcmqi_reads_the_maps_of_a_real_study(data_dir: Path, tmp_path: Path) -> None:
    study = read_study(sorted((data_dir / "sunnybrook" / "SC-HF-I-4").rglob("*.dcm")))
    volume = assemble(study, find_stack(study.facts), allow_missing=False)
    attention = attention_at(volume, 3, 2, volume.voxels.shape[2] // 2, volume.voxels.shape[3] // 2)
    context = context_of(volume, study, prediction(volume, attention=attention), options=MAPS)
    numbers, region = by_dcmqi(context, tmp_path)
    agree(context, numbers, region)
    assert numbers.image.GetSpacing() == pytest.approx(volume.geometry.spacing_mm[::-1], abs=1e-3)
