"""Storage commitment for those who send to us: what is promised, and how they are told."""
