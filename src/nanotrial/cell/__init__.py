"""Cells: uptake, vesicles, calcium, peroxide, energy, death. One average cell stands for each class of a population."""
