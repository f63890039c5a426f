"""Fitting to named facts or curves, and fitted values that stand in for those of the sheets."""
