"""Changing stored responses by what a webhook delivery says; pure."""
