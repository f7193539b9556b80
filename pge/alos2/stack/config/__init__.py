"""The configuration of a stack: its model, read from a file, written, and made into options."""
