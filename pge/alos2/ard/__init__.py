"""Analysis-ready layers of a scene: calibrated, geocoded, flattened, on a snapped grid."""
