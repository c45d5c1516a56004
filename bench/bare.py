"""A program without what only its readers and type checkers need, to see what that costs."""

import ast


def bare(source: str) -> str:
    """No comment, docstring or annotation, and named tuples that are made without `typing`."""
    return ast.unparse(ast.fix_missing_locations(_Bare().visit(ast.parse(source))))


class _Bare(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        return ast.Pass() if isinstance(node.value, ast.Constant) else node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        return ast.Assign([node.target], node.value) if node.value else ast.Pass()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        if node.module != "typing":
            return node
        return ast.ImportFrom("collections", [ast.alias("namedtuple")], 0)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        if [ast.unparse(base) for base in node.bases] == ["NamedTuple"]:
            fields = [one for one in node.body if isinstance(one, ast.AnnAssign)]
            names = " ".join(ast.unparse(one.target) for one in fields)
            defaults = [ast.unparse(one.value) for one in fields if one.value]
            made = f"namedtuple({node.name!r}, {names!r}, defaults=[{', '.join(defaults)}])"
            node.bases = [ast.parse(made, mode="eval").body]
            node.body = [one for one in node.body if one not in fields] or [ast.Pass()]
        return self.generic_visit(node)
