"""The language files of the words room: one TOML per ISO 639-1 code."""
