"""Assays and imaging: they read results and never write back."""
