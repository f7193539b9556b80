"""Stacks: from a configuration to time series, timescans, mosaics and pictures."""
