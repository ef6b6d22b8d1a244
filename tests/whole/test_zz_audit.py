"""After everything the tests of this folder did to the instance: the auditor finds nothing. (Runs last by its name.)"""

from __future__ import annotations

import subprocess

import pytest

from cli.parts import command
from tests.chaos.instance import Instance

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


def test_the_audit_is_clean(whole: Instance) -> None:
    done = subprocess.run(command("audit", "--data", str(whole.data)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
