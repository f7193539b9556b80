"""The datasets that a finished stack leaves."""
