"""The language files of the understanding room: one TOML per ISO 639-1 code."""
