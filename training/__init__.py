"""The program that trains the bundled checkpoints, in rooms: words, pictures, models, losses and
measures."""
