"""Labelled studies of strangers, decoded in a process apart, for training and for judging."""
