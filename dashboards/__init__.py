"""Metrics to people."""
