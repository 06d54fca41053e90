"""The patient's local page."""
