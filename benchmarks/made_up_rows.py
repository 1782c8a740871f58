"""The rows of a made-up archive: study 0 is RECEIVING, the next ones are READY, the others DELIVERED."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dicom_node.archive.layout import study_folder
from pipeline import InstanceFacts
from pipeline.phantom import Scan

SCAN = Scan(slices=10, phases=20, matrix=(32, 32))
IMAGES = SCAN.slices * SCAN.phases
OBJECTS = 14
"""Of a study: a report, its summary page, an attention map for each of twelve slices."""

_LONG_AGO = "2026-01-01 00:00:00.000000"
_WEIGHTS = "a" * 64


def tables(studies: int, ready: int, facts: list[InstanceFacts]) -> dict[str, Iterable[Mapping[str, Any]]]:
    """The rows of every table, in an order in which each finds what it refers to.

    Studies come in the order of their folders, which is the order of the largest index.
    """
    numbers = sorted(range(studies), key=lambda n: study_folder(study_uid(n)))
    done = [n for n in numbers if n > ready]
    return {
        "models": [_row_of_model()],
        "studies": (_row_of_study(n) for n in numbers),
        "series": (_row_of_series(n) for n in numbers),
        "jobs": (_row_of_job(n, ready) for n in numbers),
        "instances": _rows_of_instances(numbers, facts),
        "job_events": (row for n in numbers for row in _rows_of_events(n)),
        "runs": (_row_of_run(n) for n in done),
        "results": (row for n in done for row in _rows_of_results(n)),
        "deliveries": (_row_of_delivery(n * OBJECTS + k) for n in done for k in range(OBJECTS)),
    }


def study_uid(number: int) -> str:
    """The Study Instance UID of a made-up study."""
    return f"1.2.826.0.1.3680043.8.498.{10_000_000 + number}"


def images_of(number: int) -> Iterator[tuple[str, str]]:
    """Path and SOP Instance UID of every image of a study."""
    folder = study_folder(study_uid(number))
    for image in range(IMAGES):
        uid = f"{study_uid(number)}.{image}"
        digest = hashlib.sha256(uid.encode()).hexdigest()
        yield f"{folder}/{digest[:40]}-{digest[40:56]}.dcm", uid


def _row_of_study(number: int) -> dict[str, Any]:
    return {
        "study_instance_uid": study_uid(number),
        "patient_id": "",
        "first_seen_at": _LONG_AGO,
        "images": IMAGES,
    }


def _row_of_series(number: int) -> dict[str, Any]:
    return {
        "study_instance_uid": study_uid(number),
        "series_instance_uid": f"{study_uid(number)}.0",
        "modality": "MR",
        "series_number": 1,
        "series_description": "cine",
    }


def _rows_of_instances(numbers: Iterable[int], facts: list[InstanceFacts]) -> Iterator[dict[str, Any]]:
    told = [(one.sop_instance_uid, json.dumps(one.as_json())) for one in facts]
    for number in numbers:
        for (path, uid), (template, of_image) in zip(images_of(number), told, strict=True):
            yield {
                "path": path,
                "digest": path[-20:-4] * 4,
                "study_instance_uid": study_uid(number),
                "series_instance_uid": f"{study_uid(number)}.0",
                "sop_instance_uid": uid,
                "sop_class_uid": facts[0].sop_class_uid,
                "transfer_syntax_uid": facts[0].transfer_syntax_uid,
                "source_ae_title": "SCANNER",
                "received_at": _LONG_AGO,
                "pixel_offset": facts[0].pixel_offset,
                "pixel_length": facts[0].pixel_length,
                "facts": of_image.replace(template, uid),
                "current": 1,
                "kept": 1,
                "unusable": "",
            }


def _row_of_job(number: int, ready: int) -> dict[str, Any]:
    state = "receiving" if number == 0 else "ready" if number <= ready else "delivered"
    return {
        "id": number + 1,
        "study_instance_uid": study_uid(number),
        "state": state,
        "changed_at": _LONG_AGO,
        "generation": IMAGES,
        "attempts": int(state == "delivered"),
        "reason": "",
        "verdict": json.dumps({"sentence": "grid full", "evidence": ["10 slices x 20 phases"]}),
    }


def _rows_of_events(number: int) -> Iterator[dict[str, Any]]:
    for before, after in (("receiving", "ready"), ("ready", "running"), ("running", "delivered")):
        yield {
            "job_id": number + 1,
            "at": _LONG_AGO,
            "from_state": before,
            "to_state": after,
            "generation": IMAGES,
            "reason": "made up",
            "actor": "worker",
        }


def _row_of_model() -> dict[str, Any]:
    identity = {"weights_sha256": _WEIGHTS, "name": "ST-RAN", "version": "1"}
    return {"weights_sha256": _WEIGHTS, "manifest": json.dumps(identity), "first_seen_at": _LONG_AGO}


def _row_of_run(number: int) -> dict[str, Any]:
    nothing = dict.fromkeys(("request", "config", "installation", "findings", "verdict"), "{}")
    return {
        "id": number,
        "job_id": number + 1,
        "generation": IMAGES,
        "attempt": 1,
        "claimed_at": _LONG_AGO,
        "recorded_at": _LONG_AGO,
        "seconds": 1.0,
        "peak_rss_mb": 900.0,
        "weights_sha256": _WEIGHTS,
        "inputs_key": "b" * 64,
        **nothing,
    }


def _rows_of_results(number: int) -> Iterator[dict[str, Any]]:
    for k, path in enumerate(results_of(number)):
        yield {
            "id": number * OBJECTS + k,
            "job_id": number + 1,
            "run_id": number,
            "generation": IMAGES,
            "kind": "sr" if k == 0 else "attention",
            "sop_class_uid": "1.2.840.10008.5.1.4.1.1.7",
            "sop_instance_uid": f"2.25.{number}.{k}",
            "series_instance_uid": f"2.25.{number}",
            "path": path,
            "digest": "c" * 64,
            "weights_sha256": _WEIGHTS,
            "inputs_key": "b" * 64,
            "made_at": _LONG_AGO,
            "current": 1,
        }


def _row_of_delivery(result: int) -> dict[str, Any]:
    return {
        "result_id": result,
        "destination": "pacs",
        "state": "sent",
        "attempts": 1,
        "misses": 0,
        "created_at": _LONG_AGO,
        "next_try_at": _LONG_AGO,
        "status": 0,
        "comment": "",
        "sent_sop_class_uid": "1.2.840.10008.5.1.4.1.1.7",
        "sent_sop_instance_uid": f"2.25.{result}",
        "sent_at": _LONG_AGO,
        "proof": "",
    }


def results_of(number: int) -> list[str]:
    """The paths of what was made of a study."""
    digests = [hashlib.sha256(f"{number} {k}".encode()).hexdigest() for k in range(OBJECTS)]
    return [f"{study_folder(study_uid(number))}/{one[:40]}-{one[40:56]}.dcm" for one in digests]
