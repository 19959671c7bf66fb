"""The record of truth of one version: its products and vectors in SQLite, its description in a small file."""
