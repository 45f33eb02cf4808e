"""The command line and the embedded farm."""
