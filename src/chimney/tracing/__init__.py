"""Finished requests as OpenTelemetry spans, and their way to a collector."""
