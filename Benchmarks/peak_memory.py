"""Runs a command and prints the peak of its resident bytes.

In a small process of its own: Linux counts into a child's peak what its parent held when it was forked.
"""

import os
import sys

child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss * 1024)
sys.exit(os.waitstatus_to_exitcode(status))
