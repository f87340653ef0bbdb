"""The tools of the benchmarks import each other by bare names, as programs in one folder do."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "benchmarks"))
