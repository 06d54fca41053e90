"""Fitting the numbers of `processing/weights` on labelled recordings."""
