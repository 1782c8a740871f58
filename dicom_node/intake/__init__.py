"""From an image that arrived to a study that is ready: indexed, judged complete, closed."""
