"""Reports: one self-contained page per run, and its figures as SVG or PNG."""
