"""Says which helpers assert, so that their failures are told in full."""

import pytest

pytest.register_assert_rewrite("tests.hub.made", "tests.hub.reference_client")
