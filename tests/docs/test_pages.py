"""README and the pages beside it name only what there is."""

import re
from pathlib import Path

import pytest

PAGES = sorted(
    page.relative_to(Path(__file__).parents[2]).as_posix()
    for folder, pattern in ((".", "*.md"), ("docs", "*.md"))
    for page in (Path(__file__).parents[2] / folder).glob(pattern)
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
NAMED = re.compile(r"`([\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|md|toml|yml|json|lock)))`")
MADE_BY_READERS = {"autoscaler.toml"}


def lies(root: Path, folder: Path, name: str) -> bool:
    """Paths are written from the root, from the package, or from the page's own folder."""
    return not any((base / name).exists() for base in (root, root / "autoscaler", folder))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_every_path_leads_somewhere(root: Path, page: str) -> None:
    text = (root / page).read_text(encoding="utf-8")
    named = {*LINK.findall(text), *NAMED.findall(text)} - MADE_BY_READERS
    assert [name for name in sorted(named) if lies(root, (root / page).parent, name)] == []


def test_the_table_of_layers_has_every_package(root: Path) -> None:
    page = (root / "docs/architecture.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (root / "autoscaler").glob("*/__init__.py")}
    assert set(re.findall(r"^\| `autoscaler/(\w+)/`", page, re.MULTILINE)) == packages


def test_every_target_that_the_readme_names_is_there(root: Path) -> None:
    readme, makefile = ((root / name).read_text(encoding="utf-8") for name in ("README.md", "Makefile"))
    targets = set(re.findall(r"\bmake ([a-z-]+)", readme))
    assert {"demo", "test"} <= targets <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_what_has_to_be_green_includes_the_readmes_test_command(root: Path) -> None:
    script = (root / ".ci/run").read_text(encoding="utf-8")
    (targets,) = re.findall(r"^for target in (.*); do$", script, re.MULTILINE)
    assert {"check", "test"} <= set(targets.split())
    assert 'make --no-print-directory --keep-going "$target"' in script
