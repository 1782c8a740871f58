"""This repository's own results, on phantoms: eight networks, the same patients, one command."""
