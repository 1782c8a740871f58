"""A study without its patient: the images of an export for research (PS3.15 Annex E)."""
