"""Heights, radar geometry over them, flattening, layover and shadow."""
