"""What must not leave an agent's machine, and how much text leaves at all. Pure."""
