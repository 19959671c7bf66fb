"""The best rows of many vectors: exact, by 8-bit codes, by one-bit codes, or by a graph."""
