"""The parts of the soak import each other as they do when it is run."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
