"""The archive scan: what lies on a file system, which of it is new, and who describes it."""
