"""Statistics of cohorts: pure functions from arrays of subjects to frozen results."""
