"""Fitted numbers, made by ``spineclip train ../shared/data``."""
