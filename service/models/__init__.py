"""The shapes of requests and answers: the same models validate, answer and document."""
