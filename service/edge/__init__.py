"""Between the sockets and the application: whole requests in, whole answers out, deadlines kept."""
