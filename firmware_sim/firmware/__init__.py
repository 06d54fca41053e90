"""One file per simulated wearable."""
