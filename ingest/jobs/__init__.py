"""The job store: jobs, their items, dead letters, locks. It does no work; `ingest.tasks` does."""
