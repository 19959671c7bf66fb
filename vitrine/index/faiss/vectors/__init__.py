"""The best rows of many vectors: exact, by 8-bit codes, or by one-bit codes."""
