"""One file per wearable: recognise, start, decode."""
