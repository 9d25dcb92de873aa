"""Pictures of what differs, drawn in isolation: PNG, readable at the width of a note, not by colour alone."""
