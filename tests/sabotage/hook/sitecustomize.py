"""Python runs this at its start where a test put it on the path: the workers of its instance lose one defence."""

import os
import sys

if "worker" in sys.orig_argv and os.environ.get("SABOTAGE"):
    from tests.sabotage.defences import remove

    remove(os.environ["SABOTAGE"])
