"""The words of the project as plain types, and the pure rules over them. No I/O, no clock, no randomness."""
