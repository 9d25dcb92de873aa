"""How `decide` comes to a decision: look without writing, then store it with all that follows from it."""
