"""Where things lie in the data directory."""

from pathlib import Path

from dicom_node.config import Settings


def archive_dir(settings: Settings) -> Path:
    """Where received instances lie."""
    return settings.data_dir / "archive"


def candidates_dir(settings: Settings) -> Path:
    """Where models lie that were trained by themselves, until a person activates one."""
    return settings.data_dir / "candidates"


def results_dir(settings: Settings) -> Path:
    """Where the objects we made lie."""
    return settings.data_dir / "results"


def models_dir(settings: Settings) -> Path:
    """Where models that were imported lie."""
    return settings.data_dir / "models"
