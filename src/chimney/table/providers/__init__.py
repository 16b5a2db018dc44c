"""Signing in elsewhere: OIDC and GitHub."""
