"""What people ask of history: one file a noun, nothing here writes but budgets."""
