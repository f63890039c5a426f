"""Data sheets (TOML, the path is the id), their schema and look-up."""
