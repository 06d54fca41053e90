"""Samples to metrics."""
