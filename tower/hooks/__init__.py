"""Hooks of agents: putting those of the tower into an agent's own settings, and taking them out."""
