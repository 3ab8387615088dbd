"""The embedded stack: real servers from wheels, on loopback, under a supervisor of our own."""
