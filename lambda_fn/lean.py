"""A program without what only its readers and type checkers need: the same statements, fewer bytes,
and less to import.

It works on the text, by places that the parser names, so that every Python writes the same.
"""

import ast
import io
import tokenize
from collections.abc import Iterator

_NOTHING = b"0"  # the shortest statement that does nothing

# What stands from one byte to another gives way to other bytes.
_Cut = tuple[int, int, bytes]
_Place = tuple[int, int]
_Body = ast.Module | ast.ClassDef | ast.FunctionDef


def lean(source: str) -> str:
    """`source` without documentation, comments, annotations, white space, and imports that only
    those used; its named tuples made without `typing`, which would cost more than all of them."""
    cuts = _Text(source).cuts()
    text = source.encode()
    for start, end, rest in sorted(cuts, reverse=True):
        text = text[:start] + rest + text[end:]
    return _tight(text.decode())


class _Text:
    """A source and its tree."""

    def __init__(self, source: str) -> None:
        self._text = source.encode()
        self._tree = ast.parse(source)
        self._lines = [0]
        for line in self._text.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def cuts(self) -> set[_Cut]:
        cuts = {cut for node in ast.walk(self._tree) for cut in self._of(node)}
        gone = [(start, end) for start, end, _ in cuts]
        used = {
            node.id
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Name)
            and not any(start <= self._span(node)[0] < end for start, end in gone)
        }
        for node in self._tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                cuts.add((*self._span(node), _import(node, used)))
        return cuts

    def _of(self, node: ast.AST) -> Iterator[_Cut]:
        match node:
            case ast.ClassDef(bases=[ast.Name(id="NamedTuple")]):
                yield from self._named_tuple(node)
            case ast.Module() | ast.ClassDef():
                yield from self._idle(node)
            case ast.FunctionDef():
                yield from self._idle(node)
                if node.returns:
                    start, end = self._span(node.returns)
                    yield self._text.rindex(b")", 0, start) + 1, end, b""
            case ast.arg(annotation=ast.expr() as annotation):
                start, _ = self._span(node)
                yield start + len(node.arg.encode()), self._span(annotation)[1], b""
        if isinstance(node, ast.Module | ast.FunctionDef):
            # A class's stay: they may be its fields.
            for one in node.body:
                if isinstance(one, ast.AnnAssign) and one.value:
                    yield self._span(one.target)[1], self._span(one.annotation)[1], b""

    def _idle(self, node: _Body) -> Iterator[_Cut]:
        """The statements of a body that do nothing; one stays where there is no other."""
        idle = [one for one in node.body if _does_nothing(one)]
        stays = len(idle) == len(node.body) and not isinstance(node, ast.Module)
        for number, one in enumerate(idle):
            yield (*self._span(one), _NOTHING if stays and number == 0 else b"")

    def _named_tuple(self, node: ast.ClassDef) -> Iterator[_Cut]:
        fields = [one for one in node.body if isinstance(one, ast.AnnAssign)]
        rest = [one for one in node.body if one not in fields and not _does_nothing(one)]
        names = " ".join(self._slice(one.target) for one in fields)
        defaults = "".join(f"{self._slice(one.value)}," for one in fields if one.value)
        made = f'namedtuple("{node.name}","{names}"'
        made += f",defaults=({defaults}))" if defaults else ")"
        start, end = self._span(node)
        if not rest:
            yield start, end, f"{node.name}={made}".encode()
            return
        yield (*self._span(node.bases[0]), made.encode())
        for one in node.body:
            if one not in rest:
                yield (*self._span(one), b"")

    def _span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.stmt | ast.expr | ast.arg)  # noqa: S101  (for the checker)
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        return self._lines[first] + node.col_offset, self._lines[last] + (node.end_col_offset or 0)

    def _slice(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self._text[start:end].decode()


def _does_nothing(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case _:
            return False


def _import(node: ast.Import | ast.ImportFrom, used: set[str]) -> bytes:
    module = node.module if isinstance(node, ast.ImportFrom) else None
    names = [
        f"{alias.name} as {alias.asname}" if alias.asname else alias.name
        for alias in node.names
        if (alias.asname or alias.name.split(".")[0]) in used or module == "__future__"
    ]
    lines = [f"from {module} import {','.join(names)}" if module else f"import {','.join(names)}"]
    if module == "typing" and any(alias.name == "NamedTuple" for alias in node.names):
        lines = [*(lines if names else ()), "from collections import namedtuple"]
    elif not names:
        return b""
    return "\n".join(lines).encode()


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
