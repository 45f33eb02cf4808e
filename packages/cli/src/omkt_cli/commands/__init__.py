"""The commands, by what they need: a farm somewhere, a farm of their own, or the database."""
