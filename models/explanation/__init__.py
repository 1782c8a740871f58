"""Where an answer came from: one map per phase and slice, by one of three methods. Loads no framework."""
