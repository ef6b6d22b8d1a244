"""One real instance — broker, provider, gateway, two workers — and what an outside program sees of it."""
