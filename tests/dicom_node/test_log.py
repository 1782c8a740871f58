import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import structlog
from pydicom import Dataset
from pydicom.valuerep import PersonName
from structlog.stdlib import BoundLogger

from dicom_node.log import bound, configure, logger

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the node logs to during one test; afterwards logging is as it was."""
    root, ours = logging.getLogger(), logging.getLogger("dicom_node")
    before = (root.handlers[:], root.level, ours.level)
    yield io.StringIO()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    configure("info", "json", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def log() -> BoundLogger:
    return logger("dicom_node.tests")


def test_a_line_has_its_action_its_time_its_study_and_its_facts(lines: Lines, log: BoundLogger) -> None:
    with bound(study="1.2.3", job=7):
        log.info("study-complete", slices=10)
    [line] = lines()
    assert (line["action"], line["study"], line["job"], line["slices"]) == ("study-complete", "1.2.3", 7, 10)
    assert line["level"] == "info"
    assert datetime.fromisoformat(line["at"]).utcoffset() is not None


@pytest.mark.parametrize(
    "facts",
    [
        {"patient_name": "DOE^JANE"},
        {"PatientName": "DOE^JANE"},
        {"patient": "DOE^JANE"},
        {"OtherPatientIDs": "DOE^JANE"},
        {"birth_date": "DOE^JANE"},
        {"name": PersonName("DOE^JANE")},
        {"ds": Dataset()},
    ],
)
def test_what_identifies_a_patient_is_withheld(lines: Lines, log: BoundLogger, facts: dict[str, Any]) -> None:
    if "ds" in facts:
        facts["ds"].PatientName = "DOE^JANE"
    log.info("image-stored", **facts)
    [line] = lines()
    assert "DOE" not in json.dumps(line)
    assert line[next(iter(facts))] == "(withheld)"


def test_an_exception_is_logged_with_its_cause_and_without_the_values_it_quotes(
    lines: Lines, log: BoundLogger
) -> None:
    name = "O'DOE^JANE"
    try:
        try:
            raise KeyError(name)
        except KeyError as cause:
            raise ValueError(f"this isn't a name: {name!r}") from cause
    except ValueError:
        log.exception("study-failed")
    [line] = lines()
    assert "DOE" not in json.dumps(line)
    assert "ValueError: this isn't a name: (withheld)" in line["exception"]
    assert "KeyError: (withheld)" in line["exception"]
    assert "test_log.py" in line["exception"]


def test_a_librarys_warning_is_heard_without_the_values_it_quotes(lines: Lines) -> None:
    logging.getLogger("pydicom").warning("Invalid value for VR UI: 'DOE^JANE'")
    [line] = lines()
    assert (line["action"], line["logger"]) == ("library", "pydicom")
    assert line["message"] == "Invalid value for VR UI: (withheld)"


@pytest.mark.parametrize("library", ["pynetdicom.events", "pydicom", "highdicom.sr", "apscheduler.executors"])
def test_a_librarys_chatter_is_not_heard_even_when_we_are_talkative(
    stream: io.StringIO, library: str
) -> None:
    configure("debug", "json", stream)
    logging.getLogger(library).info("(0010,0010) PN [DOE^JANE]")
    assert stream.getvalue() == ""


def test_our_own_level_is_kept(stream: io.StringIO, log: BoundLogger) -> None:
    configure("warning", "json", stream)
    log.info("image-stored")
    assert stream.getvalue() == ""
    log.warning("disk-low")
    assert "disk-low" in stream.getvalue()


def test_pythons_warnings_become_lines(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("the value 'DOE^JANE' is odd", UserWarning, stacklevel=1)
    [line] = lines()
    assert line["logger"] == "py.warnings"
    assert "the value (withheld)" in line["message"]


def test_configured_twice_a_line_is_written_once(stream: io.StringIO, log: BoundLogger) -> None:
    configure("info", "json", io.StringIO())
    configure("info", "json", stream)
    log.info("node-started")
    assert len(stream.getvalue().splitlines()) == 1


def test_on_a_console_the_action_stands_before_the_facts(stream: io.StringIO, log: BoundLogger) -> None:
    configure("info", "console", stream)
    log.info("study-complete", slices=10)
    line = stream.getvalue()
    assert line.index("study-complete") < line.index("slices=10")
    assert "\x1b" not in line
