"""One file per judge; each has `run(court)` and reports through `court.check`."""
