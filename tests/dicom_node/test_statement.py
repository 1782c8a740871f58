"""The conformance statement says what the node does, all of it, and nothing that it does not do."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dicom_node.config import Settings
from dicom_node.config_keys import known_keys
from dicom_node.conformance import BASIC, IMAGE, MAX_PDU_BYTES, SERVICES, STATUSES, Role
from dicom_node.delivery.dimse_status import ANSWERS, Verdict
from dicom_node.statement import statement
from dicom_node.statement.air import REQUIREMENTS, Requirement
from dicom_node.statement.overview import CONTENTS
from dicom_node.statement.terminology import GROUPS, SCHEMES, TEMPLATES, is_private, template_ids
from reports import Creation, created_objects

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def text() -> str:
    return statement()


@pytest.fixture(scope="module")
def creation() -> Creation:
    return created_objects()


def test_the_printed_statement_is_the_one_in_the_documentation(text: str) -> None:
    printed = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    assert printed == text, "print it anew: dicom-node conformance > docs/conformance.md"


def test_it_names_every_class_syntax_and_status(text: str) -> None:
    roles = [f"| {row.name} | `{row.sop_class_uid}` | {row.role.value} |" for row in SERVICES]
    assert [row for row in roles if row not in text] == []
    assert all(str(syntax.uid) in text for syntax in IMAGE)
    assert all(f"| `{status.code:04X}` | {status.meaning} |" in text for status in STATUSES)
    assert str(MAX_PDU_BYTES) in text


def test_it_says_what_follows_from_every_answer_of_a_destination(text: str) -> None:
    for first, last, verdict, words in ANSWERS:
        codes = f"`{first:04X}`" if first == last else f"`{first:04X}` to `{last:04X}`"
        assert f"| {codes} | {words} | {verdict} |" in text
    assert all(re.search(rf"(?m)^\| {verdict} \| \S+ ", text) for verdict in Verdict)


def test_every_class_we_create_is_one_we_propose_to_send(creation: Creation) -> None:
    proposed = {str(row.sop_class_uid): row.syntaxes for row in SERVICES if row.role is Role.SCU}
    assert {made.sop_class_uid for made in creation.objects} <= set(proposed)
    assert set(proposed.values()) == {BASIC}


def test_every_object_has_an_annex_with_all_its_attributes(text: str, creation: Creation) -> None:
    for number, made in enumerate(creation.objects, 2):
        assert f"### A.{number} {made.name} ({made.kind})\n" in text
        written = [row.tag for row in made.attributes if row.tag and row.tag not in text]
        assert written == []


def test_the_overview_says_in_words_what_each_object_is(creation: Creation) -> None:
    assert {made.kind for made in creation.objects} == set(CONTENTS)


def test_every_parameter_of_the_network_and_the_reports_is_listed(text: str) -> None:
    told = ("receive.", "destinations.", "deliver.", "report.", "complete.")
    keys = [key for key in known_keys(Settings) if key.startswith(told)]
    assert [key for key in keys if f"| `{key}` |" not in text] == []
    assert "| `receive.port` | The port to listen on; 0 takes a free one. | `11112` |" in text


def test_every_code_scheme_and_template_is_explained(text: str, creation: Creation) -> None:
    assert {use.scheme for use in creation.codes} <= set(SCHEMES)
    assert template_ids(creation) <= set(TEMPLATES)
    private = [use.value for use in creation.codes if is_private(use)]
    assert "SCAR-PROB" in private
    assert all(f"| `({value}, 99STRAN)` |" in text for value in private)


def test_a_context_group_is_named_only_where_a_code_of_it_is_written(text: str) -> None:
    groups = {row[1]: row[2] for row in re.findall(r"(?m)^(\| ([^|`]+) \| (CID [^|]+) \|)", text)}
    assert groups["value of Algorithm Family"] == "CID 7162"
    assert groups["value of Procedure reported"] == "CID 3820"
    assert GROUPS["value of Procedure reported"] == (100, 3820)


@pytest.mark.parametrize(
    "claim", [one for one in REQUIREMENTS if one.shown_by], ids=lambda one: one.asked[:40]
)
def test_a_claim_rests_on_what_is_written(claim: Requirement, creation: Creation) -> None:
    report = creation.objects[0]
    there = {row.name for row in report.attributes} | {use.value for use in creation.codes}
    assert [name for name in claim.shown_by if name not in there] == []


def test_what_is_claimed_is_shown_and_what_is_not_is_reasoned() -> None:
    for one in REQUIREMENTS:
        assert one.shown_by or re.match(r"optional, |not claimed", one.claimed), one.asked


def test_every_row_of_a_table_has_as_many_cells_as_its_head(text: str) -> None:
    cells = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            cells = 0
            continue
        found = len(re.findall(r"(?<!\\)\|", line))
        cells = cells or found
        assert found == cells, line


def test_the_command_line_starts_without_what_the_statement_needs() -> None:
    code = "import sys, dicom_node.cli; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not set(done.stdout.split()) & {"highdicom", "matplotlib", "SimpleITK"}
