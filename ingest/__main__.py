"""`python -m ingest` runs the ingest worker, as `vitrine worker` does."""

from ingest.worker import main

if __name__ == "__main__":
    main()
