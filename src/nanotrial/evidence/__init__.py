"""Published facts, the prediction of each, and how the two compare."""
