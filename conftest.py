"""How the tests are spread: over three processes of one thread each, a file in one of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# Before a framework is loaded, here or in the kernels, servers and processes that tests start. The networks
# are small: a second thread brings less than it costs where processes share the machine.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Take three processes, of 1.5 GB each, or none besides this one for tests of one file.

    They keep two cores busy: now and then one waits for a browser, a server or a kernel.
    """
    chosen = {argument.partition("::")[0] for argument in config.args}
    alone = len(chosen) == 1 and (config.invocation_params.dir / chosen.pop()).is_file()
    return 0 if alone else 3
