"""Destinations by DICOMweb (PS3.18): the room of dicomweb-client and of the HTTP library under it."""
