"""Faults on a real instance: what strikes it, when, and what the auditor says of it afterwards."""
