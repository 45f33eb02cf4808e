"""Pure decisions: what probing found and the presets asked for become a plan, each decision with its reason."""
