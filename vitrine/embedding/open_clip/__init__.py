"""Checkpoints in open_clip's layout, carried over to the modules of transformers: no foreign code
runs."""
