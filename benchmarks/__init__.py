"""What measures speed, memory and recall, each figure beside its floor and its rivals in the
same run: `make bench`."""
