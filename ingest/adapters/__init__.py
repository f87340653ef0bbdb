"""Adapters: pure functions from an agent's bytes to deltas, one file an agent."""
