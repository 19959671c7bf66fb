"""The demo: a drawn catalogue, the bundled small CLIP checkpoint, and the programs that made
them."""
