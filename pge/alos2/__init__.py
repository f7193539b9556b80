"""ALOS-2/PALSAR-2 products in, datasets out: the core that every job of alos2-ingest shares.

The package is built in floors; an arrow may only go down (``import-linter`` checks it):
``cli`` → ``jobs``, ``hysds`` → ``sources``, ``footprint`` → ``dataset`` →
``simulate``, ``raster``, ``product``, ``archive`` → ``ceos``, ``geometry``, ``radiometry`` →
``naming``, ``errors``, ``types``, ``constants``.
"""

__version__ = "0.1.0"
