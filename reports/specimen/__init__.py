"""What our objects consist of, found out by writing them all.

A description kept by hand would be wrong after the next change. Here every kind of object is written for a
simulated study, again and again with one input changed, and the objects are compared: what is always there,
what only sometimes, and what each value follows from.
"""
