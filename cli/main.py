"""The `vacancy` command: one table of everything it can do. A command's module is imported when it is called."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from cli.problem import Misuse, Problem
from config.settings import SettingsError

#: name: (module, what it has there: a function, or a Typer app with commands of its own; one line of help)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "up": ("cli.up", "up", "Start a whole instance and keep it running until Ctrl-C."),
    "demo": ("cli.demo", "command", "Send seeded traffic to the running instance and report what came of it."),
    "audit": ("cli.audit", "command", "Check the promises on a running or stopped instance."),
    "replay": ("cli.replay", "command", "Rebuild a service's rows from its inbox into a directory, and compare them."),
    "dlq": ("cli.dead_letters", "app", "See, edit, replay and drop dead letters."),
    "bridge": ("cli.bridge", "command", "Carry one layout's news to another layout's topics."),
    "rates": ("cli.rates", "app", "Try a rate plan before it is declared."),
    "webhooks": ("cli.hooks", "app", "See where news is sent, and what became of it."),
    "users": ("cli.users", "app", "Erase a user, and prove what is left where."),
    "payments": ("cli.payments", "app", "Compare our payments with the provider's ledger."),
    "report": ("cli.daily_report", "command", "Write a property's daily report into a file."),
    "receipts": ("cli.receipts", "app", "Make and store the receipts that nobody has read yet."),
    "settle": ("cli.settle", "command", "Book the provider's payouts of all payments that were taken."),
    "projections": ("cli.projections", "app", "Follow the log into SQL tables; rebuild and compare them."),
    "drain": ("cli.drain", "command", "Wait until all that is on the log now is decided and done."),
    "worker": ("cli.worker", "command", "Run the agents of one or all services."),
    "gateway": ("cli.gateway", "command", "Run the public HTTP interface."),
    "provider": ("cli.provider", "command", "Run the sandbox payment provider."),
    "inbox": ("cli.inbox", "command", "Take mail and text messages while there are no servers for them."),
    "broker": ("cli.broker_command", "app", "Start, stop or look at the embedded Kafka by itself."),
    "topics": ("cli.topics", "app", "Compare the layout's topics with a broker, and create them."),
    "config": ("cli.config_command", "config", "Print the effective settings and where each came from."),
    "bench": ("bench.command", "command", "Measure this machine: peers, the journey, the log, growth."),
    "chaos": ("bench.chaos.command", "command", "Break an instance under load in every way there is, and audit it."),
    "doctor": ("cli.doctor", "doctor", "Check what is wrong with this machine."),
}

# Typer shows only this one of its parsing errors; what they have in common is two above it.
_WRONGLY_ASKED: Any = typer.BadParameter.__mro__[2]

_HELP = """A reservation platform that never sells the same night twice.

Example: vacancy up --demo 20"""


class Lazy(TyperCommand):
    """Stands for a command until it is called: `vacancy --help` imports none of them."""

    def __init__(self, name: str, module: str, attribute: str, text: str) -> None:
        super().__init__(name, help=text)
        self._module, self._attribute = module, attribute

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        return self.real().make_context(info_name, args, parent, **extra)

    def real(self) -> Any:
        """The command itself, imported now."""
        found = getattr(import_module(self._module), self._attribute)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        one = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        one.command(self.name)(found)
        return typer.main.get_command(one)


def group() -> TyperGroup:
    """All commands as one."""
    commands = [Lazy(name, *where) for name, where in COMMANDS.items()]
    return TyperGroup(name="vacancy", help=_HELP, commands=commands, no_args_is_help=True)


def run() -> None:
    """The console entry. Exit codes: 0 done, 1 it went wrong or the answer is no, 2 asked wrongly."""
    try:
        # Without typer's own ending: every error of ours is one line, and its are too.
        code = group()(sys.argv[1:] or ["--help"], prog_name="vacancy", standalone_mode=False)
    except _WRONGLY_ASKED as error:
        _fail(error.format_message(), error.exit_code)
    except Problem as problem:
        _fail(str(problem), problem.exit_code)
    except SettingsError as error:
        _fail(str(error), Misuse.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(line: str, code: int) -> NoReturn:
    if line:
        print(f"vacancy: {line}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    run()
