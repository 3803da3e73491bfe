"""What the differential judge asks, by subject; each module has `play(scene)`."""
