"""Read a Dockerfile and a .dockerignore, as far as the ones of this repository need."""

import json
import re
import shlex
from dataclasses import dataclass
from fnmatch import fnmatch

from scripts.image.errors import ExerciseError


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction: its keyword in capitals, the rest with continued lines joined, and where it begins."""

    keyword: str
    rest: str
    line: int

    def words(self) -> tuple[dict[str, str], list[str]]:
        """Leading `--name=value` options, and the words after them, quotes removed."""
        words = shlex.split(self.rest)
        options: dict[str, str] = {}
        while words and words[0].startswith("--"):
            name, _, value = words.pop(0).removeprefix("--").partition("=")
            options[name] = value
        return options, words

    def command(self) -> list[str]:
        """The exec form of CMD, ENTRYPOINT or HEALTHCHECK: a JSON array. ExerciseError for the shell form."""
        try:
            words = json.loads(self.rest[self.rest.index("[") :])
        except ValueError as error:
            raise ExerciseError(f"line {self.line}: {self.keyword} is not in exec form") from error
        return [str(word) for word in words]


def parse(text: str) -> list[Instruction]:
    """Every instruction of a Dockerfile in order; comments dropped, continued lines joined."""
    instructions: list[Instruction] = []
    pending, begun = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#") or (not line.strip() and not pending):
            continue
        begun = begun or number
        pending += line.removesuffix("\\").strip() + " "
        if not line.endswith("\\"):
            keyword, _, rest = pending.strip().partition(" ")
            instructions.append(Instruction(keyword=keyword.upper(), rest=rest.strip(), line=begun))
            pending, begun = "", 0
    return instructions


def expand(text: str, environment: dict[str, str]) -> str:
    """Put variables in, `$NAME` or `${NAME}`, as Docker does: an unknown one is empty."""
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda name: environment.get(name[1] or name[2], ""), text)


def ignored(path: str, patterns: list[str]) -> bool:
    """Whether a .dockerignore keeps `path` out of the context it is relative to; the last match decides."""
    verdict = False
    parts = path.split("/")
    above = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    for pattern in patterns:
        wanted = pattern.removeprefix("!").strip("/")
        anywhere = wanted.removeprefix("**/")
        if any(
            fnmatch(one, wanted) or (anywhere != wanted and fnmatch(one, f"*{anywhere}")) for one in above
        ):
            verdict = not pattern.startswith("!")
    return verdict


def ignore_patterns(text: str) -> list[str]:
    """The lines of a .dockerignore that say something."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
