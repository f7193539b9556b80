"""The picture of a plan: area, footprints and dates, as SVG and PNG."""
