"""`vacancy doctor`: what is wrong with this machine, each check with a line that says what to do.

Looks and asks, changes nothing; it imports what it checks inside the check, so that a broken part is a finding.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

import typer

from cli.options import AsJson, DataDirectory, SettingsFile, given
from cli.space import space_of
from config.layers import load
from config.settings import Settings
from streams import java, kafka_files, ports

_OLDEST = (3, 11)
_FILES = 1024
_REGISTRY_PATIENCE = 5.0


@dataclass(frozen=True)
class Finding:
    """One check's answer; `advice` says what to do and is empty when all is well."""

    check: str
    ok: bool
    found: str
    advice: str = ""


def doctor(data: DataDirectory = None, config: SettingsFile = None, as_json: AsJson = False) -> None:
    """Checks whether an instance can run on this machine; exit code 1 when something is wrong.

    Example: vacancy doctor --data .vacancy
    """
    settings = load(given(None, data=data), config).settings
    findings = examine(settings)
    if as_json:
        well = all(finding.ok for finding in findings)
        print(json.dumps({"ok": well, "checks": [asdict(finding) for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(_line(finding))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def examine(settings: Settings) -> list[Finding]:
    """All checks, in the order an instance needs what they look at."""
    return [check(settings) for check in CHECKS]


def _line(finding: Finding) -> str:
    return f"{'ok   ' if finding.ok else 'WRONG'}  {finding.check:<12} {finding.found}" + (
        f"\n       -> {finding.advice}" if finding.advice else ""
    )


def _python(settings: Settings) -> Finding:
    version = sys.version.split()[0]
    well = sys.version_info[:2] >= _OLDEST
    return Finding("python", well, version, "" if well else "install Python 3.11 or newer and make a new .venv with it")


def _java(settings: Settings) -> Finding:
    if settings.broker is not None:
        return Finding("java", True, "not needed: an existing broker is used")
    try:
        found = java.find()
    except java.JavaMissing as error:
        return Finding("java", False, "none that fits", str(error))
    return Finding("java", True, f"{found.version} at {found.path}")


def _kafka(settings: Settings) -> Finding:
    if settings.broker is not None:
        return Finding("kafka", True, "not needed: an existing broker is used")
    if (jars := kafka_files.find()) is not None:
        return Finding("kafka", True, f"{kafka_files.KAFKA}, {len(jars)} files in the cache")
    problem = kafka_files.unreachable(_REGISTRY_PATIENCE)
    if problem is not None:
        return Finding("kafka", False, "not in the cache, and it cannot be fetched", problem)
    return Finding("kafka", True, f"{kafka_files.KAFKA} is not in the cache yet, and can be fetched")


def _space(settings: Settings) -> Finding:
    space = space_of(settings)
    return Finding("disk", space.enough, f"{space.free / 1e9:.1f} GB free", space.advice)


def _port(settings: Settings) -> Finding:
    if settings.port == 0 or ports.is_free(settings.port, settings.host):
        return Finding("port", True, f"{settings.port or 'any'} is free")
    advice = "end the program that has it, or choose another with --port or VACANCY_PORT"
    return Finding("port", False, f"{settings.port} is taken", advice)


def _rocksdb(settings: Settings) -> Finding:
    try:
        import rocksdict
    except ImportError as error:
        return Finding("rocksdb", False, f"cannot be loaded: {error}", "run `make install` again")
    return Finding("rocksdb", True, f"rocksdict {getattr(rocksdict, '__version__', 'loaded')}")


def _open_files(settings: Settings) -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    well = soft == resource.RLIM_INFINITY or soft >= _FILES
    found = "no limit" if soft == resource.RLIM_INFINITY else f"{soft} may be open"
    return Finding("open files", well, found, "" if well else f"raise it: ulimit -n {_FILES * 4}")


CHECKS: tuple[Callable[[Settings], Finding], ...] = (_python, _java, _kafka, _space, _port, _rocksdb, _open_files)
