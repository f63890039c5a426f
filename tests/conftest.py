"""Shared by all tests; this file also puts the folder on the path, so that `tubes` can be imported anywhere."""
