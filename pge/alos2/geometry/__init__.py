"""Orbit, range-Doppler, polynomials, rings: where a radar image lies on the Earth."""
