"""Models for other programs: SBML of one arm, and an archive with the whole experiment in SED-ML."""
