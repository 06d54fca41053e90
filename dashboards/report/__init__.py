"""The fortnight report."""
