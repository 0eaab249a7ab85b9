"""One stage of a build: what the instructions after a FROM have set up so far."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from scripts.image.errors import ExerciseError

OPT = re.compile(r"(?<![\w.-])/opt\b")


@dataclass(slots=True, kw_only=True)
class Stage:
    """`root` stands for the stage's file system; `user` is None while the steps run as whoever we are."""

    root: Path
    environment: dict[str, str]
    workdir: str = "/"
    user: int | None = None
    healthcheck: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def moved(self, text: str) -> str:
        """`text` with /opt where this stage has it."""
        return OPT.sub(f"{self.root}/opt", text)

    def place(self, path: str) -> Path:
        """Where this stage has a path, absolute or relative to WORKDIR. What is made must lie under /opt."""
        absolute = Path(self.workdir, path)
        if not absolute.is_relative_to("/opt"):
            raise ExerciseError(f"{absolute} is outside /opt")
        return self.root / absolute.relative_to("/")

    def cwd(self) -> Path:
        """Where a step or the container begins."""
        return self.root if self.workdir == "/" else self.place(".")
