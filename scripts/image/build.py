"""Follow a Dockerfile, instruction by instruction, inside a throwaway folder."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from scripts.image import interpreter
from scripts.image.dockerfile import Instruction, expand, ignore_patterns, ignored, parse
from scripts.image.errors import ExerciseError
from scripts.image.stage import Stage

# What a builder hands to its steps from outside: the way to the network, never a setting of the program.
PASSED_ON = {
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
}


class Build:
    """Builds what `context`/Dockerfile describes inside `scratch`; `say` hears one line per step."""

    def __init__(self, *, context: Path, scratch: Path, say: Callable[[str], None]) -> None:
        self._context = context
        self._scratch = scratch
        self._say = say
        self._ignore = ignore_patterns((context / ".dockerignore").read_text(encoding="utf-8"))
        self._passed_on = {name: value for name, value in os.environ.items() if name in PASSED_ON}
        self._finished: dict[str, Path] = {}
        self._name = ""
        self._stage: Stage | None = None
        self._may_change_user = False
        self._steps: dict[str, Callable[[Instruction], None]] = {
            "FROM": self._from, "WORKDIR": self._workdir, "COPY": self._copy, "RUN": self._run,
            "ENV": self._env, "USER": self._user, "EXPOSE": self._expose, "STOPSIGNAL": self._stopsignal,
            "HEALTHCHECK": self._healthcheck, "ENTRYPOINT": self._entrypoint, "CMD": self._cmd,
        }  # fmt: skip

    def image(self) -> Stage:
        """Run all instructions and return the last stage. ExerciseError names the line that failed."""
        for instruction in parse((self._context / "Dockerfile").read_text(encoding="utf-8")):
            self._say(f"{instruction.line:3}  {instruction.keyword} {instruction.rest[:90]}")
            step = self._steps.get(instruction.keyword)
            if step is None:
                raise ExerciseError(f"line {instruction.line}: {instruction.keyword} is not known here")
            try:
                step(instruction)
            except ExerciseError as error:
                raise ExerciseError(f"line {instruction.line}, {instruction.keyword}: {error}") from error
        return self._current

    @property
    def _current(self) -> Stage:
        if self._stage is None:
            raise ExerciseError("there is no FROM before it")
        return self._stage

    def _from(self, instruction: Instruction) -> None:
        root = self._scratch / "root"
        if self._stage is not None:
            self._finished[self._name] = root.rename(self._scratch / f"stage-{len(self._finished)}")
        (root / "opt").mkdir(parents=True)
        image, _, self._name = instruction.rest.partition(" AS ")
        environment = {
            "PATH": f"{self._base(image)}:/usr/bin:/bin",
            "HOME": "/nonexistent",
            "LANG": "C.UTF-8",
        }
        self._stage = Stage(root=root, environment=environment)

    def _base(self, image: str) -> Path:
        """A folder with nothing but `python`: one for all stages of an image, since it is one path in all."""
        folder = self._scratch / re.sub(r"\W", "_", image)  # a colon would split PATH
        if not folder.exists():
            found = interpreter.find(image)
            self._may_change_user = found.for_everyone
            self._say(f"     {found.path}, version {found.version}, stands in for {image}")
            folder.mkdir()
            (folder / "python").symlink_to(found.path)
        return folder

    def _workdir(self, instruction: Instruction) -> None:
        self._current.place(instruction.rest).mkdir(parents=True, exist_ok=True)
        self._current.workdir = str(Path(self._current.workdir, instruction.rest))

    def _copy(self, instruction: Instruction) -> None:
        options, words = instruction.words()
        *sources, target = words
        for source in sources:
            origin = self._origin(source, options.get("from"))
            place = self._current.place(target)
            if origin.is_dir():
                shutil.copytree(origin, place, symlinks=True, dirs_exist_ok=True, ignore=self._left_out)
            else:
                shutil.copy2(origin, place / origin.name if target.endswith("/") else place)

    def _origin(self, source: str, stage: str | None) -> Path:
        if stage is not None:
            folder = self._finished.get(stage)
            if folder is None:
                raise ExerciseError(f"there is no stage {stage}")
            return folder / source.lstrip("/")
        if not (self._context / source).exists() or ignored(source, self._ignore):
            raise ExerciseError(f"{source} is not in the context: missing, or ignored")
        return self._context / source

    def _left_out(self, folder: str, names: list[str]) -> set[str]:
        if not Path(folder).is_relative_to(self._context):
            return set()
        inside = Path(folder).relative_to(self._context)
        return {name for name in names if ignored((inside / name).as_posix(), self._ignore)}

    def _run(self, instruction: Instruction) -> None:
        stage, begun = self._current, time.monotonic()
        done = subprocess.run(
            ["/bin/sh", "-c", stage.moved(instruction.rest)],
            cwd=stage.cwd(), env=self._passed_on | stage.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, user=stage.user, group=stage.user,
            extra_groups=None if stage.user is None else [],
        )  # fmt: skip
        if done.returncode != 0:
            raise ExerciseError(f"ended with {done.returncode}\n{done.stdout}{done.stderr}")
        self._say(f"     {time.monotonic() - begun:.1f} s")

    def _env(self, instruction: Instruction) -> None:
        stage = self._current
        for name, _, value in (word.partition("=") for word in instruction.words()[1]):
            stage.environment[name] = expand(stage.moved(value), stage.environment)

    def _user(self, instruction: Instruction) -> None:
        number = instruction.rest.partition(":")[0]
        if not number.isdigit() or int(number) == 0:
            raise ExerciseError("the user is not a number other than root's")
        if self._may_change_user:
            self._current.user = int(number)
        else:
            self._say("     NOT EXERCISED: it takes root, and a Python that everyone may run; goes on as you")

    def _expose(self, instruction: Instruction) -> None:
        if instruction.rest != self._current.environment.get("AUTOSCALER_HTTP_PORT"):
            raise ExerciseError("AUTOSCALER_HTTP_PORT is another port")

    def _stopsignal(self, instruction: Instruction) -> None:
        if instruction.rest != "SIGTERM":
            raise ExerciseError("the daemon is stopped with SIGTERM")

    def _healthcheck(self, instruction: Instruction) -> None:
        self._current.healthcheck = instruction.command()

    def _entrypoint(self, instruction: Instruction) -> None:
        self._current.entrypoint = instruction.command()

    def _cmd(self, instruction: Instruction) -> None:
        self._current.command = instruction.command()
