"""Work: what `vitrine ingest` and the workers do, above the job store and the pipeline."""
