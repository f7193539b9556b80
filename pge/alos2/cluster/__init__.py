"""Batch schedulers behind one narrow interface: submit, status, cancel.

This package knows schedulers and nothing of ALOS. `registry.scheduler_for` makes a `Scheduler` of
what `site.load_site` read; nothing here imports PSI/J before that.
"""
