"""Wearable to MQTT."""
