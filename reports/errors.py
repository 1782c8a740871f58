"""What can go wrong between a prediction and its reports."""


class ReportError(Exception):
    """A report could not be written. The message is one sentence for an administrator."""
