"""The mappings that come with Vitrine, as TOML files."""
