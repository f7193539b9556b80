"""Time series on one grid: codes, multi-temporal filter, files, cube, timescan."""
