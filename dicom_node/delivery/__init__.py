"""Out of the door: C-STORE to every destination until each object has been answered for."""
