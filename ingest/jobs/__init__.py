"""The job store: jobs, their items, dead letters and locks. It knows no work; `ingest.tasks` does."""
