"""Which scenes there are, how they go together, and what is to be known before anything runs."""
