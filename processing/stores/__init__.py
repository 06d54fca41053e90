"""Where metrics are kept: one file per store."""
