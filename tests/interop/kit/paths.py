"""Where things lie. Everything that is installed or produced goes under target/interop."""
import os
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
TARGET = Path(os.environ.get("INTEROP_TARGET", ROOT / "target" / "interop"))
JAVA44 = TARGET / "java44"
TOOLS43 = TARGET / "tools43"
CLASSES = TARGET / "classes"
TOOL_CLASSES = TARGET / "tool-classes"
VENV = TARGET / "venv"
NODE = TARGET / "node"
GO = TARGET / "go"
RUNS = TARGET / "run"
