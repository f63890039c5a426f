"""What a particle does: dissolve behind its coat, release, lose its coat."""
