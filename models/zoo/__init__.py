"""The networks of the ST-RAN study, one file each: `build()` makes it, and its name is the file's.

Every network takes what the node prepares, (batch, phase, slice, row, column, 1) float32 in 0..1, and gives
(batch, 1) P(scar); a published layout that wants the axes otherwise turns them itself. `ATTENTION` names the
layers whose gates are an attention map, in the order of the network; it is empty where there is none that
means anything. `FEATURES` says where Grad-CAM looks, and how what it sees there lies in the cine. Importing
one of these modules loads Keras; importing this package does not.
"""
