"""Pictures: the store, decoding with limits, safe fetching."""
