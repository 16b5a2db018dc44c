"""Telling people: messages to receivers, verdicts, a heartbeat, alerts."""
