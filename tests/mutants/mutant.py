"""The mutants of one source file: mutmut's operators, and two of our own."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation import mutators

from tests.mutants.survivors import MutantIdentity

TRUE, FALSE = cst.Name("True"), cst.Name("False")
# Of mutmut's operators, those that change a decision; its others reword strings and drop arguments.
DECISIONS = (mutators.operator_name, mutators.operator_keywords, mutators.operator_match)
OPERATORS = [(kind, one) for kind, one in mutators.mutation_operators if one in DECISIONS]
BOUNDS_AND_SUMS = (
    *(cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual),
    *(cst.Add, cst.Subtract, cst.Multiply, cst.Divide, cst.FloorDivide, cst.Modulo),
    *(cst.AddAssign, cst.SubtractAssign),
)


@dataclass(frozen=True)
class Mutant:
    """A file's source with one change.

    Attributes:
        lines: those of the original that the changed part is written on.
        function: in whose body it is; empty for what runs when the file is imported.
    """

    identity: MutantIdentity
    lines: range
    source: str
    function: str


def mutants(file: str, source: str) -> Iterator[Mutant]:
    tree = MetadataWrapper(cst.parse_module(source))
    positions = tree.resolve(PositionProvider)
    seen = _Changes()
    tree.visit(seen)
    for one in seen.changes:
        mutated = _mutated(tree.module, one)
        was, becomes = _difference(source, mutated)
        if was != becomes and _is_python(mutated):
            where = positions[one.node]
            lines = range(where.start.line, where.end.line + 1)
            identity = MutantIdentity(f"{file} {one.scope}", was, becomes)
            yield Mutant(identity, lines, mutated, one.function)


class _Change(NamedTuple):
    """A node, what it becomes, and what it is in.

    Attributes:
        statement: the module's own statement that has the node.
        scope: the name of the class or function, or that it is the module.
        function: as a Mutant's.
    """

    node: cst.CSTNode
    becomes: cst.CSTNode
    statement: cst.CSTNode
    scope: str
    function: str


def _is_python(source: str) -> bool:
    """Not so where a mutant takes an index of `True`, which no compiler lets pass unwarned."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            compile(source, "mutant", "exec")
        except SyntaxError:
            return False
    return True


def _mutated(module: cst.Module, change: _Change) -> str:
    """The module's source with the change; only its own statement is written anew."""
    own = module.code_for_node(change.statement)
    before, found, after = module.code.partition(own)
    assert found
    statement = change.statement.deep_replace(change.node, change.becomes)
    mutated: str = before + module.code_for_node(statement) + after
    return mutated


class _Changes(cst.CSTVisitor):  # type: ignore[misc] # beside mypy, libcst is not installed
    """Collects every change to a module."""

    METADATA_DEPENDENCIES = (ParentNodeProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[_Change] = []
        self._statement: cst.CSTNode = cst.Pass()
        self._scope: list[str] = []
        self._function = ""

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation | cst.Decorator):
            return False
        if isinstance(self.get_metadata(ParentNodeProvider, node, None), cst.Module):
            self._statement = node
        if isinstance(node, cst.ClassDef | cst.FunctionDef):
            self._scope.append(node.name.value)
        scope = ".".join(self._scope) or "(module)"
        self.changes += [
            _Change(node, one, self._statement, scope, self._function) for one in self._of(node)
        ]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.ClassDef | cst.FunctionDef):
            self._scope.pop()

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        if isinstance(node, cst.FunctionDef) and attribute == "body" and not self._function:
            self._function = ".".join(self._scope)

    def on_leave_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        whole = self._function == ".".join(self._scope)
        if isinstance(node, cst.FunctionDef) and attribute == "body" and whole:
            self._function = ""

    def _of(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        if isinstance(node, cst.BaseExpression):
            yield from self._forced(node)
        if isinstance(node, cst.Integer | cst.Float):
            yield from _numbers(node)
        if isinstance(getattr(node, "operator", None), BOUNDS_AND_SUMS):
            yield from mutators.operator_swap_op(node)
        if not isinstance(node, cst.BaseCompOp):
            for kind, operator in OPERATORS:
                if isinstance(node, kind):
                    yield from operator(node)

    def _forced(self, node: cst.BaseExpression) -> Iterator[cst.CSTNode]:
        """A condition that is always true, or never; one of two that are joined left out."""
        parent = self.get_metadata(ParentNodeProvider, node)
        if isinstance(parent, cst.BooleanOperation):
            both = isinstance(parent.operator, cst.And)
            chained = isinstance(node, cst.BooleanOperation)
            if not chained or isinstance(node.operator, cst.And) is not both:
                yield TRUE if both else FALSE
        elif isinstance(parent, cst.While):
            yield FALSE
        elif _decides(parent, node) or isinstance(node, cst.Comparison | cst.BooleanOperation):
            yield TRUE
            yield FALSE


def _decides(parent: cst.CSTNode, node: cst.BaseExpression) -> bool:
    """Whether this is the condition of what it is in, or a negation."""
    if isinstance(node, cst.UnaryOperation):
        return isinstance(node.operator, cst.Not)
    return node in (getattr(parent, "test", None), getattr(parent, "guard", None))


def _numbers(node: cst.Integer | cst.Float) -> Iterator[cst.CSTNode]:
    """Ten times as much, and nothing at all."""
    if node.evaluated_value:
        yield node.with_changes(value=repr(node.evaluated_value * 10))
        yield cst.Integer("0")
    else:
        yield cst.Integer("1")


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, on one line each."""
    was, becomes = before.splitlines(), after.splitlines()
    for end in (0, -1):
        while was and becomes and was[end] == becomes[end]:
            was.pop(end)
            becomes.pop(end)
    return _on_one_line(was), _on_one_line(becomes)


def _on_one_line(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)
