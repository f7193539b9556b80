"""Pixels become calibrated power, browse pictures, map tiles and a polygon of what is valid."""
