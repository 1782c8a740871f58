"""Simulated beating hearts with known truth: for the demo, the tests and the demonstration weights."""

from pipeline.phantom.heart import Heart, Scar, Signals, draw_heart
from pipeline.phantom.layouts import Layout, write_dicom
from pipeline.phantom.render import render
from pipeline.phantom.scan import Phantom, Scan, Truth

__all__ = [
    "Heart",
    "Layout",
    "Phantom",
    "Scan",
    "Scar",
    "Signals",
    "Truth",
    "draw_heart",
    "render",
    "write_dicom",
]
