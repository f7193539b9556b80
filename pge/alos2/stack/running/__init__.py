"""Tasks keyed by content: in which order, where, and what became of them."""
