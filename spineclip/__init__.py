"""The thin face: command line and settings."""
