"""Packaging of alos2-ingest; what pip reads is in pyproject.toml."""

from setuptools import setup

setup()
