"""The record of truth of one version: products and vectors in SQLite, its description in a file."""
