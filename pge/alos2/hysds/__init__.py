"""The contract of a HySDS work directory."""
