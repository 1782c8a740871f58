"""What our objects consist of is found out by writing them: every kind, and where each value comes from."""

from typing import get_args

import pytest

from reports import CreatedObject, Creation, ExtraObject, Row, created_objects
from reports.specimen.growth import Growth, Node, overlay
from reports.specimen.origin import Origin, origin_of
from reports.specimen.runs import Cause, Run
from tests.reports.tree import OURS, is_standard


@pytest.fixture(scope="module")
def creation() -> Creation:
    return created_objects()


def rows_named(made: CreatedObject, name: str) -> list[Row]:
    return [row for row in made.attributes if row.name == name]


def top_level(made: CreatedObject, name: str) -> Row:
    (row,) = [row for row in made.attributes if row.name == name and row.depth == 0]
    return row


def grown(*parents: tuple[Node, ...]) -> dict[str, Growth]:
    """The children of several parents of one run, laid over each other."""
    return {one.key: one for one in overlay([(0, Node("", None, children)) for children in parents])}


@pytest.mark.parametrize(
    ("parents", "presence"),
    [
        (((Node("a", "1"),), (Node("a", "2"),)), "ALWAYS"),
        (((Node("a", "1"),), (Node("a", ""),)), "VNAP"),
        (((Node("a", "1"),), ()), "ANAP"),
        (((Node("a", ""),), ()), "ANAP"),
        (((Node("a", ""),), (Node("a", ""),)), "EMPTY"),
        (((Node("a", None, (Node("b", "1"),)),), (Node("a", None, (Node("b", ""),)),)), "ALWAYS"),
    ],
)
def test_presence_is_told_from_all_parents(parents: tuple[tuple[Node, ...], ...], presence: str) -> None:
    assert grown(*parents)["a"].presence == presence


def test_presence_in_an_item_is_that_of_the_items_there_are() -> None:
    two = Node("items", None, (Node("name", "x"),)), Node("items", None, ())
    (name,) = grown(two, ())["items"].children
    assert name.presence == "ANAP"
    (name,) = grown(two[:1], ())["items"].children
    assert name.presence == "ALWAYS"


def test_items_of_one_parent_are_counted() -> None:
    assert grown((Node("a", "1"), Node("a", "2")), (Node("a", "1"),))["a"].most == 2


def run(stated: set[str], base: int | None = None, cause: Cause | None = None) -> Run:
    return Run((), frozenset(stated), base, cause)


RUNS = (
    run({"Ann", "1.2"}),
    run({"Bob", "1.3"}, 0, Cause.SOURCE),
    run({"Ann", "1.2"}, 0, Cause.CONFIGURATION),
    run({"Ann", "1.2"}, 0, Cause.CLOCK),
    run(set()),
)


@pytest.mark.parametrize(
    ("by_run", "origin"),
    [
        (["MR", "MR", "MR", "MR", "MR"], Origin("FIXED", values=("MR",))),
        (["Ann", "Bob", "Ann", "Ann", ""], Origin("COPY")),
        (["Ann", "Bob", "Ann", "Ann", "Unknown"], Origin("COPY", instead=("Unknown",))),
        (["ANN", "BOB", "ANN", "ANN", "ANN"], Origin("AUTO", "the source images", ("ANN", "BOB"))),
        (["x", "x", "y", "x", "x"], Origin("CONFIG")),
        (["x", "x", "x", "y", "x"], Origin("AUTO", "the time of the analysis")),
        (["x", "x", "y", "z", "x"], Origin("AUTO", "the configuration, the time of the analysis")),
        (["", "", "", "", ""], Origin("")),
    ],
)
def test_the_origin_of_a_value_is_told_by_what_changes_it(by_run: list[str], origin: Origin) -> None:
    values = {number: frozenset({value}) for number, value in enumerate(by_run) if value}
    assert origin_of(values, RUNS) == origin


def test_values_of_which_some_are_copied_are_of_both_origins() -> None:
    values = {0: frozenset({"1.2", "9"}), 1: frozenset({"1.3", "8"})}
    assert origin_of(values, RUNS).source == "COPY or AUTO"


def test_of_a_value_seen_in_no_compared_run_nothing_is_claimed() -> None:
    assert origin_of({4: frozenset({"MR"})}, RUNS) == Origin("COPY or AUTO")


def test_a_list_too_long_to_show_follows_from_the_place() -> None:
    values = dict.fromkeys(range(5), frozenset(map(str, range(9))))
    assert origin_of(values, RUNS) == Origin("AUTO", "its place, or the case")


def test_every_choice_of_a_further_object_makes_one(creation: Creation) -> None:
    needed = {made.option for made in creation.objects}
    assert {f"extra_objects: [{name}]" for name in get_args(ExtraObject)} < needed
    assert {"", "attention_images: all_phases", "not_analysed: cine"} < needed


def test_every_object_belongs_to_the_study_of_its_source(creation: Creation) -> None:
    for made in creation.objects:
        for name in ("Patient ID", "Patient's Name", "Study Instance UID", "Accession Number"):
            assert top_level(made, name).source == "COPY", (made.kind, name)
        assert top_level(made, "Study Instance UID").presence == "ALWAYS"
        assert top_level(made, "Patient ID").presence in {"VNAP", "ALWAYS"}


def test_a_uid_follows_from_everything_and_a_date_from_the_stopped_clock(creation: Creation) -> None:
    for made in creation.objects:
        uid = top_level(made, "SOP Instance UID")
        modelless = ", ".join(cause for cause in Cause if cause not in (Cause.MODEL, Cause.METHOD))
        expected = modelless if made.kind.startswith("notice") else "all that goes into the result"
        assert (uid.source, uid.origin) == ("AUTO", expected), made.kind
        assert "the time of the analysis" in top_level(made, "Instance Creation Date").origin
        assert top_level(made, "Manufacturer").source == "CONFIG"
        assert top_level(made, "Modality").source == "FIXED"


def test_the_device_of_the_algorithm_changes_with_the_model_alone(creation: Creation) -> None:
    report = creation.objects[0]
    observers = {"CONFIG"}
    device = [row for row in rows_named(report, "Device UID") if row.source not in observers]
    assert [(row.source, row.origin) for row in device] == [("AUTO", "the model")]


def test_a_finding_keeps_its_tracking_uid_when_another_model_looks_again(creation: Creation) -> None:
    report = creation.objects[0]
    tracking = [row for row in report.content if row.name.startswith("(112040, DCM")]
    assert {(row.source, row.origin) for row in tracking} == {
        ("AUTO", "the source images"),
        ("AUTO", "the source images, how the map is made"),  # a map of another kind is another finding
    }


def test_an_index_is_no_copy_of_a_number_that_the_source_happens_to_state(creation: Creation) -> None:
    for made in creation.objects:
        for row in rows_named(made, "Instance Number") + rows_named(made, "Number of Frames"):
            assert row.source in {"FIXED", "AUTO"}, made.kind


def test_what_a_source_without_a_frame_of_reference_lacks_may_be_missing(creation: Creation) -> None:
    overlays = [made for made in creation.objects if made.kind == "attention"]
    assert len(overlays) == 2
    for made in overlays:
        frame = top_level(made, "Frame of Reference UID")
        assert (frame.presence, frame.source) == ("ANAP", "COPY")


def test_a_document_has_its_tree_and_a_picture_has_none(creation: Creation) -> None:
    trees = {made.kind: [row.name for row in made.content] for made in creation.objects}
    assert '(SCAR-PROB, 99STRAN, "Probability of myocardial scar")' in trees["sr"]
    assert trees["summary"] == []


def test_every_code_we_write_has_the_meaning_that_the_standard_gives_it(creation: Creation) -> None:
    written = {(use.value, use.scheme, use.meaning) for use in creation.codes}
    assert len(written) > 40
    strange = {found for found in written if not is_standard(*found)}
    assert strange - OURS == set()


def test_no_private_attribute_is_written(creation: Creation) -> None:
    tags = {row.tag for made in creation.objects for row in made.attributes if row.tag}
    assert [tag for tag in tags if int(tag[1:5], 16) % 2] == []


def test_an_identifier_stays_and_what_cannot_be_valid_goes(creation: Creation) -> None:
    written = {repair.name: (repair.received, repair.written) for repair in creation.repairs}
    received, kept = written["Patient ID"]
    assert received == kept
    assert len(received) > 64
    assert written["Study Date"][1] == written["Patient's Sex"][1] == ""
