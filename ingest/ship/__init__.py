"""Sending what a reader reads to a tower elsewhere: batches, pauses, offsets, signs of life."""
