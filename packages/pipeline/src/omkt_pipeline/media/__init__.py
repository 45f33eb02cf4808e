"""Child processes and what media tools say, translated into our values."""
