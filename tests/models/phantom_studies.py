"""Small simulated studies as DICOM files in folders, and the labels file that belongs to them."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom

SCAN = Scan(slices=4, phases=8, matrix=(32, 32), spacing_mm=4.0, subplanes=1)
GRID = ("--phases", "6", "--slices", "4", "--pixels", "16", "--spacing-mm", "4", "--min-slices", "3")
LAYOUTS = (Layout.GE, Layout.SIEMENS, Layout.ENHANCED)


def write_studies(folder: Path, count: int) -> list[dict[str, str]]:
    """`count` studies below `folder`, every second one with scar, in changing layouts; their labels."""
    rows = []
    for seed in range(count):
        phantom = render(draw_heart(seed, scar=seed % 2 == 1), SCAN)
        place = folder / f"{seed % 2}" / f"{seed}"
        place.mkdir(parents=True)
        write_dicom(phantom, place, LAYOUTS[seed % 3])
        rows.append(
            {
                "study_instance_uid": phantom.volume.study_instance_uid,
                "patient_id": f"PHANTOM-{seed:05d}",
                "Scar": "yes" if phantom.truth.scarred else "no",
                "WMA": "0" if seed % 4 else "1",
                "ward": "north" if seed % 3 else "south",
            }
        )
    return rows


def write_table(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """The rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path
