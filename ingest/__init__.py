"""Ingest: what agents send becomes deltas on the log. Stateless, as many as wanted."""
