"""Simulated patients whose answers are known: to train on, to be judged by, and to try the node with."""

from models.cohort.designs import SCAN, Cohort, Member, backwards, banded, lesions
from models.cohort.drawing import draw_examples

__all__ = ["SCAN", "Cohort", "Member", "backwards", "banded", "draw_examples", "lesions"]
