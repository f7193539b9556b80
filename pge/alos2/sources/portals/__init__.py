"""Portals: places that list products and deliver them after a login, each a plugin."""
