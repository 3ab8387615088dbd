"""HTTP in: thin. What a request means is said here, what is done with it in the pipeline."""
