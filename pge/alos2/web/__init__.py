"""An archive in a browser: its page, its STAC API, its files and map tiles, over HTTP.

`alos2.web.app.create_app` makes the ASGI application, `alos2.web.serve.serve` runs it.
docs/stac-api.md describes what it answers.
"""
