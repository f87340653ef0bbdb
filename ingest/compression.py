"""zstd: of Python's own library where it has it, else of its backport.

Imported late: few processes ever need it. Used by bodies that come and by bodies that go.
"""

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["zstd"]
