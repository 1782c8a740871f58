"""How long to wait before the next try."""

from datetime import timedelta

from dicom_node.config_sections import DeliverSettings


def back_off(attempts: int, policy: DeliverSettings) -> timedelta:
    """The wait after the `attempts`-th try: doubled each time, bounded."""
    seconds = min(policy.first_retry_s * 2.0 ** min(attempts - 1, 60), policy.max_retry_s)
    return timedelta(seconds=seconds)
