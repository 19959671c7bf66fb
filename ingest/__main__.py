"""`python -m ingest` runs the ingest worker."""

from ingest.commands import ingest

if __name__ == "__main__":
    ingest()
