"""The receiver: a process of its own that answers C-ECHO and C-STORE, and tells the node what came."""
