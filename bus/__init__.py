"""The log that deltas travel on: one interface, a memory engine and a Redis engine."""
