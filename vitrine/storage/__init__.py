"""What is kept on this machine's disk: SQLite files, and files that appear whole or not at all."""
