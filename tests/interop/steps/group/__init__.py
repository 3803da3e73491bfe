"""What the group_differential judge plays: scripts by subject; each module lists its own in SCRIPTS."""
