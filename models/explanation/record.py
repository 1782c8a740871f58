"""A manifest with its verdicts, written in place of the one without."""

from pathlib import Path

from models.manifest import MANIFEST_NAME, Manifest


def record(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in `folder` at once: whoever reads it finds the old one or the new one, whole."""
    beside = folder / f".{MANIFEST_NAME}.new"
    beside.write_text(manifest.as_json(), encoding="utf-8")
    beside.replace(folder / MANIFEST_NAME)
