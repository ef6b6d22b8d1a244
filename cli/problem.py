"""What a command says when it cannot do what it was asked: one line on stderr, and an exit code."""

from __future__ import annotations


class Problem(Exception):
    """The line to print; it says what to do. Ends the command with exit code 1."""

    exit_code = 1


class Misuse(Problem):
    """The command was asked for something it cannot do as asked. Ends it with exit code 2."""

    exit_code = 2
