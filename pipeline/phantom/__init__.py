"""Simulated beating hearts with known truth: for the demo, the tests and the demonstration weights."""

from pipeline.phantom.heart import Heart, Scar, Signals, draw_heart
from pipeline.phantom.kinds import Kind, draw_kind
from pipeline.phantom.layouts import Layout, write_dicom
from pipeline.phantom.render import render
from pipeline.phantom.scan import Phantom, Scan, Truth
from pipeline.phantom.variant import Variant

__all__ = [
    "Heart",
    "Kind",
    "Layout",
    "Phantom",
    "Scan",
    "Scar",
    "Signals",
    "Truth",
    "Variant",
    "draw_heart",
    "draw_kind",
    "render",
    "write_dicom",
]
