"""The habits of the house that a syntax tree can show. Every check returns complaints; none means clean."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

MODULE_LINES = 300
FUNCTION_LINES = 45
VAGUE_NAMES = frozenset(
    {"utils", "util", "helpers", "helper", "common", "core", "manager", "managers", "misc"}
)
SILENCERS = re.compile(r"#\s*(noqa(:\s*[A-Z0-9, ]+)?|type:\s*ignore(\[[a-z0-9, -]*\])?)", re.IGNORECASE)
PROMISES = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def complaints(name: str, source: str) -> list[str]:
    """Everything that any Python file of the repository may be blamed for. `name` is its path."""
    tree = ast.parse(source)
    return [f"{name}:{text}" for text in (*_sizes(source, tree), *_phrases(tree), *_comments(source))]


def sleeps(name: str, source: str) -> list[str]:
    """Calls of time.sleep: a test waits for an event, never for the clock."""
    nodes = ast.walk(ast.parse(source))
    found = [node for node in nodes if isinstance(node, ast.Attribute) and _dotted(node) == "time.sleep"]
    return [f"{name}:{node.lineno} sleeps" for node in found]


def charter(name: str, source: str, *, allowed: frozenset[str] = frozenset()) -> list[str]:
    """A package's `__init__` holds its charter and no code but assignments to the `allowed` names."""
    tree = ast.parse(source)
    docstring = ast.get_docstring(tree) or ""
    found = [] if docstring.count(".") > 1 else [f"{name}: the docstring is no charter"]
    for node in tree.body[1 if docstring else 0 :]:
        targets = {target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)}
        if not targets or not targets <= allowed:
            found.append(f"{name}:{node.lineno} has code in a package's __init__")
    return found


def loose_values(name: str, source: str) -> list[str]:
    """Dataclasses that are not frozen and slotted, or whose three or more fields may be given by position."""
    found = []
    for node in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)):
        for decorator in node.decorator_list:
            call = decorator.func if isinstance(decorator, ast.Call) else decorator
            if _dotted(call) not in {"dataclass", "dataclasses.dataclass"}:
                continue
            fields = sum(isinstance(part, ast.AnnAssign) for part in node.body)
            demanded = {"frozen", "slots", "kw_only"} if fields > 2 else {"frozen", "slots"}
            words = getattr(decorator, "keywords", [])
            if not demanded <= {word.arg for word in words if ast.unparse(word.value) == "True"}:
                found.append(f"{name}:{decorator.lineno} is a loose value")
    return found


def vague(name: str) -> list[str]:
    """A file or folder named after nothing in particular. `name` is its path."""
    return [f"{name} is a vague name" for part in name.removesuffix(".py").split("/") if part in VAGUE_NAMES]


def _sizes(source: str, tree: ast.Module) -> Iterator[str]:
    lines = source.count("\n")
    if lines > MODULE_LINES:
        yield f"1 has {lines} lines, above {MODULE_LINES}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{node.lineno} {node.name} has {length} lines, above {FUNCTION_LINES}"


def _phrases(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.expr | ast.stmt):
            continue
        dotted = _dotted(node)
        if dotted == "NotImplementedError":
            yield f"{node.lineno} is a stub"
        elif dotted in {"monkeypatch.setattr", "mock.patch"} or _imports_mock(node):
            yield f"{node.lineno} replaces parts of the program from outside"
        elif dotted in {"pytest.mark.skip", "pytest.mark.xfail"}:
            yield f"{node.lineno} hides a gap behind a marker"


def _comments(source: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if PROMISES.search(token.string):
            yield f"{token.start[0]} promises instead of doing"
        rest, silenced = SILENCERS.subn("", token.string)
        if silenced and len(re.findall(r"[A-Za-z]{2,}", rest)) < 2:
            yield f"{token.start[0]} silences a check without a reason"


def _imports_mock(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "unittest.mock" or (
            node.module == "unittest" and any(alias.name == "mock" for alias in node.names)
        )
    return isinstance(node, ast.Import) and any(
        alias.name in {"unittest.mock", "mock"} for alias in node.names
    )


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""
