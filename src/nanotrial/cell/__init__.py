"""Cells: uptake and vesicles, calcium, peroxide, energy, death; one average cell stands for each class of a population."""
