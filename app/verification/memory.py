# SPDX-License-Identifier: Apache-2.0

"""Bound the memory of a verification: a file of a kilobyte can ask its parser for any number of gigabytes.

Beyond the bound an allocation fails, and with it the step that asked for it; without one, the machine would.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

_LEAST = 8 << 30
"""8 GiB of addresses, of which an honest pack needs a third and uses less: libraries reserve more than they use."""


@contextmanager
def bounded_memory() -> Iterator[int]:
    """Let this process have at most half the machine's memory, or 8 GiB, while the block runs; yield the bound."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    bound = min(limit for limit in (max(_LEAST, physical // 2), soft, hard) if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (bound, hard))
    try:
        yield bound
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
