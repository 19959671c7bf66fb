"""`vitrine embedder`: the model in one process, for the service processes and workers around it."""
