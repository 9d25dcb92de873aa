"""The sandbox around code and files that are not ours: bubblewrap's arguments, and whether it works here."""
