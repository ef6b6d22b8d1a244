"""A payment provider to practise with: a server of its own, with its own ledger, that fails on request."""
