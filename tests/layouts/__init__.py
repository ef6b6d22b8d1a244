"""Each document's contract on real processes and a real broker: one instance a layout, from its topics to its audit."""

import pytest

pytest.register_assert_rewrite("tests.layouts.closing", "tests.layouts.world")
