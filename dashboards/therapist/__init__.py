"""The therapist's view: all patients at a glance, one fortnight each, and what was agreed on."""
