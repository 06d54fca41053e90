"""Any supported wearable without the wearable."""
