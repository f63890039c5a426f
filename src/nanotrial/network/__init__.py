"""Species in compartments, joined by processes: dimension-checked, balanced, printable. Knows no biology."""
