"""Talking to GitHub."""
