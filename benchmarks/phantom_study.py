"""The study that the benchmarks read: 12 slices x 25 phases of 256 x 256 pixels, in 300 files."""

from pathlib import Path

from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom

SCAN = Scan(slices=12, phases=25, matrix=(256, 256), spacing_mm=1.4)


def write_study(folder: Path) -> list[Path]:
    """Its files in `folder`, which is made if need be; Explicit VR Little Endian."""
    folder.mkdir(parents=True, exist_ok=True)
    return list(write_dicom(render(draw_heart(7, scar=True), SCAN), folder, Layout.GE))
