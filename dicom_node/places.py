"""Where things lie in the data directory."""

from pathlib import Path

from dicom_node.config import Settings


def archive_dir(settings: Settings) -> Path:
    """Where received instances lie."""
    return settings.data_dir / "archive"


def results_dir(settings: Settings) -> Path:
    """Where the objects we made lie."""
    return settings.data_dir / "results"
