"""From a study that is ready to its results: the worker process, and the seam before it."""
