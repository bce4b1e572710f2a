"""Scenarios in a running twin: durable jobs with progress, their results, and the state from which they start."""
