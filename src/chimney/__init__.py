"""chimney: a single pane of glass for small teams that deploy a web service from GitHub."""

__version__ = "0.1.0"
