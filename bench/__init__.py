"""Measuring: programs that run the real thing and write what they saw to docs/."""
