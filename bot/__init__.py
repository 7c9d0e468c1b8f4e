"""Mosaic Fleet's middle: it decides; the edges (connectors, storage, fleet, web) do the I/O."""

__version__ = "0.1.0"
