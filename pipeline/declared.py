"""How much a file says there is, by standard tags and by those of the makers."""

from pipeline.header import Elements, private, whole


def declared_phases(dataset: Elements) -> int | None:
    """Phases per slice as a tag states them."""
    stated = _positive(whole(dataset, "CardiacNumberOfImages"))
    return stated or _declared(dataset, 0x2001, 0x17, "Philips Imaging DD 001", "SL")


def declared_slices(dataset: Elements) -> int | None:
    """Slices of the stack as a tag states them."""
    stated = _declared(dataset, 0x2001, 0x18, "Philips Imaging DD 001", "SL")
    return stated or _declared(dataset, 0x0021, 0x4F, "GEMS_RELA_01", "SS")


def declared_images(dataset: Elements) -> int | None:
    """Images of the acquisition as a tag states them."""
    return _positive(whole(dataset, "ImagesInAcquisition"))


def _declared(dataset: Elements, group: int, element: int, creator: str, vr: str) -> int | None:
    tag = private(dataset, group, element, creator)
    return _positive(whole(dataset, tag, vr)) if tag else None


def _positive(value: int | None) -> int | None:
    return value if value is not None and 0 < value < 100_000 else None
