"""The node: receives studies, has them read, delivers the reports."""

__version__ = "0.1.0"
"""The build reads it from here; to ask the installation instead takes a fifth of `dicom-node --help`."""
