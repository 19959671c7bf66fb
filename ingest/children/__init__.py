"""Programs of our own in processes beside the one that ingests: how it starts them and talks with
them (`process`), and what such a program needs (`program`)."""
