"""Pure values and state machines. Imports nothing of ours and does no I/O."""
