"""The auditor: checks the platform's promises from what stands on the log and in the provider's ledger.

An outside program in spirit: it has its own reading of the wire format, of the calendar and of every rule, and shares
no decision code with the parts it judges (a test holds that).
"""

from cli.audit.entry import command

__all__ = ["command"]
