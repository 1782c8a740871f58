"""The node: receives studies, has them read, delivers the reports."""

from importlib.metadata import version

__version__ = version("dicom-node")
