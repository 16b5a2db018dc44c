"""ASGI parts for both roles."""
