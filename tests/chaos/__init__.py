"""Fault runs: a real instance under load, processes killed and paused, and the auditor afterwards."""
