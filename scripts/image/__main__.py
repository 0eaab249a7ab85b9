"""Exercise the Dockerfile of a folder: `python -m scripts.image [FOLDER]`."""

import sys
import tempfile
from pathlib import Path

from scripts.image.build import Build
from scripts.image.container import Container
from scripts.image.errors import ExerciseError


def say(line: str) -> None:
    """One line at once, so that a log shows which step is running."""
    print(line, flush=True)


def main(folder: str = ".") -> int:
    """0 if every step works and the container starts, is healthy and stops; else 1 and what does not."""
    with tempfile.TemporaryDirectory(prefix="image-") as name:
        scratch = Path(name)
        scratch.chmod(0o755)
        try:
            image = Build(context=Path(folder).resolve(), scratch=scratch, say=say).image()
            size = sum(path.lstat().st_size for path in image.root.rglob("*") if not path.is_dir())
            say(f"     {size / 1e6:.0f} MB on top of the base image")
            Container(image, log=scratch / "log").exercise(say)
        except ExerciseError as error:
            print(f"FAILED: {error}", file=sys.stderr)
            return 1
    say("every step of the Dockerfile works")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
