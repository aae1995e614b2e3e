"""The constants of an example, which say how long it runs, and other values."""

import ast


def constants_of(source):
    """Names in capitals that a source assigns at its top level."""
    return {
        name.id
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name) and name.id.isupper()
    }


def with_constants(source, values):
    """The source with other values for some of the constants it assigns."""
    unknown = values.keys() - constants_of(source)
    assert not unknown, f"no constants: {unknown}"
    tree = ast.parse(source)
    body = []
    for node in tree.body:
        body.append(node)
        if isinstance(node, ast.Assign):
            names = constants_of(ast.unparse(node)) & values.keys()
            body += [ast.parse(f"{name} = {values[name]!r}") for name in sorted(names)]
    tree.body = body
    return ast.unparse(tree)
