"""One small pipeline on several systems: bookings, re-keyed by resource, decided on rows with a changelog, answered."""
