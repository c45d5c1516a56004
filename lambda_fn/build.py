"""The function's zip: the same bytes from the same sources, whoever builds it, when, and with
which Python.

``python3 -m lambda_fn.build OUT.zip``

What only readers and type checkers need is left out, so that it stays within 16 KiB: the files in
it are the repository's, statement for statement.
"""

import ast
import io
import sys
import tokenize
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

MOST_BYTES = 16 * 1024
SHARED = ("__init__", "caller", "ledger", "policy")

_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the first one a zip can hold
_UNIX = 3
_READABLE = 0o100644  # AWS runs the function as a user of its own
_NOTHING = b"0"  # the shortest statement that does nothing

_Cut = tuple[int, int, bytes]
_Place = tuple[int, int]


def sources(root: Path) -> Iterator[tuple[str, Path]]:
    """What the zip holds, as (name in it, file), in a fixed order."""
    # A checkout keeps it among the skills, a wheel beside us.
    checkout = root / "skills" / "fleet_control"
    shared = checkout if checkout.is_dir() else root / "fleet_control"
    for module in SHARED:
        yield f"fleet_control/{module}.py", shared / f"{module}.py"
    for path in sorted((root / "lambda_fn").glob("*.py")):
        if path.name != "build.py":
            yield f"lambda_fn/{path.name}", path


def build(root: Path) -> bytes:
    """The zip; ValueError if it is larger than was promised."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, path in sources(root):
            info = zipfile.ZipInfo(name, _NO_TIME)
            info.create_system = _UNIX
            info.external_attr = _READABLE << 16
            text = lean(path.read_text("utf-8"))
            # What is empty would only grow.
            kind = zipfile.ZIP_DEFLATED if text else zipfile.ZIP_STORED
            archive.writestr(info, text, kind, 9)
    content = buffer.getvalue()
    if len(content) > MOST_BYTES:
        raise ValueError(f"the zip has {len(content)} bytes; it may have {MOST_BYTES}")
    return content


def lean(source: str) -> str:
    """The same program without documentation, comments, annotations of functions, imports that
    only those used, and white space."""
    text = source.encode()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def place(line: int | None, column: int | None) -> int:
        return starts[(line or 1) - 1] + (column or 0)

    def span(node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.stmt | ast.expr | ast.arg)  # noqa: S101  (for the checker)
        return place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset)

    tree = ast.parse(text)
    cuts = [cut for node in ast.walk(tree) for cut in _cuts(node, text, span)]
    hidden = [(start, end) for start, end, _ in cuts]
    used = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
        and not any(start <= span(node)[0] < end for start, end in hidden)
    }
    cuts += [
        (*span(node), _import(node, used))
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    for start, end, rest in sorted(set(cuts), reverse=True):
        text = text[:start] + rest + text[end:]
    return _tight(text.decode())


def _cuts(node: ast.AST, text: bytes, span: Callable[[ast.AST], tuple[int, int]]) -> Iterator[_Cut]:
    """What of this node is for readers only, as (start, end, what stays there)."""
    match node:
        case ast.ClassDef():
            yield from _idle(node, span)
        case ast.Module():
            yield from _idle(node, span)
            yield from _annotations(node, span)
        case ast.arg(annotation=ast.expr() as annotation):
            yield span(node)[0] + len(node.arg.encode()), span(annotation)[1], b""
        case ast.FunctionDef():
            yield from _idle(node, span)
            yield from _annotations(node, span)
            if node.returns:
                start, end = span(node.returns)
                yield text.rindex(b")", 0, start) + 1, end, b""


def _idle(
    node: ast.Module | ast.ClassDef | ast.FunctionDef,
    span: Callable[[ast.AST], tuple[int, int]],
) -> Iterator[_Cut]:
    """The statements of a body that do nothing; one stays where there is no other."""
    idle = [one for one in node.body if _does_nothing(one)]
    for number, one in enumerate(idle):
        needed = number == 0 and len(idle) == len(node.body) and not isinstance(node, ast.Module)
        yield (*span(one), _NOTHING if needed else b"")


def _annotations(
    node: ast.Module | ast.FunctionDef, span: Callable[[ast.AST], tuple[int, int]]
) -> Iterator[_Cut]:
    """Of assignments; a class's stay, since they make its fields."""
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and one.value:
            yield span(one.target)[1], span(one.annotation)[1], b""


def _does_nothing(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case _:
            return False


def _import(node: ast.Import | ast.ImportFrom, used: set[str]) -> bytes:
    future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    names = [
        f"{alias.name} as {alias.asname}" if alias.asname else alias.name
        for alias in node.names
        if (alias.asname or alias.name.split(".")[0]) in used or future
    ]
    if not names:
        return b""
    start = f"from {node.module} import" if isinstance(node, ast.ImportFrom) else "import"
    return f"{start} {','.join(names)}".encode()


def _tight(source: str) -> str:
    """One line a statement, one space a level, and none where none is needed."""
    lines = source.splitlines(keepends=True)
    out = ["\n"]
    depth = 0
    for name, start, end in _tokens(source):
        if name in ("INDENT", "DEDENT"):
            depth += 1 if name == "INDENT" else -1
        elif name == "NEWLINE":
            out.append("\n")
        else:
            text = _between(lines, start, end)
            if out[-1] == "\n":
                out.append(" " * depth)
            elif _wordy(out[-1][-1]) and (_wordy(text[0]) or text[0] in "'\""):
                out.append(" ")
            out.append(text)
    return "".join(out[1:])


def _tokens(source: str) -> Iterator[tuple[str, _Place, _Place]]:
    """Python's, but an f-string is one of them, as it was before Python 3.12."""
    begun: list[_Place] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        name = tokenize.tok_name[token.type]
        if name == "FSTRING_START":
            begun.append(token.start)
        elif name == "FSTRING_END":
            start = begun.pop()
            if not begun:
                yield "STRING", start, token.end
        elif not begun and name not in ("COMMENT", "NL", "ENDMARKER"):
            yield name, token.start, token.end


def _between(lines: list[str], start: _Place, end: _Place) -> str:
    (first, left), (last, right) = start, end
    if first == last:
        return lines[first - 1][left:right]
    return "".join([lines[first - 1][left:], *lines[first : last - 1], lines[last - 1][:right]])


def _wordy(char: str) -> bool:
    return char.isalnum() or char == "_"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python3 -m lambda_fn.build OUT.zip\n")
        return 2
    try:
        content = build(Path(__file__).resolve().parent.parent)
    except ValueError as error:
        sys.stderr.write(f"lambda_fn.build: {error}\n")
        return 1
    out = Path(arguments[0])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    sys.stdout.write(f"{out}: {len(content)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
