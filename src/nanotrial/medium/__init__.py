"""Speciation, buffering, gases, precipitation and the chemistry of dissolved peroxide."""
