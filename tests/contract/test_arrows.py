"""The shape of the source: imports go one way, modules and functions stay small, public things say what they do.

Rooms are packages or single modules of ``nanotrial``. Every import counts, those inside functions and those for types
alone too; a room may import rooms that stand on a line above its own in ``ORDER``, never its own line or one below.
"""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import nanotrial
from nanotrial.catalogue.lookup import ROOT

SOURCE = Path(nanotrial.__file__).parent
ORDER = (
    ("errors",),
    ("units",),
    ("values", "reading"),
    ("catalogue",),
    ("radiation",),
    ("study",),
    ("fit.overlay",),
    ("network",),
    ("solve",),
    ("medium",),
    ("radiation.yields",),
    ("radiation.radicals",),
    ("radiation.radiolysis",),
    ("radiation.bond_cutting",),
    ("radiation.sensitiser_chemistry",),
    ("particle",),
    ("cell",),
    ("body",),
    ("observe",),
    ("places",),
    ("sampling", "budgets", "statistics"),
    ("experiment",),
    ("exchange",),
    ("campaign",),
    ("record",),
    ("sensitivity",),
    ("evidence.published",),
    ("fit", "evidence"),
    ("report",),
    ("cli",),
)
# Rooms that know less than their place in the order would let them.
ONLY = {
    "reading": {"errors", "units"},
    "catalogue": {"errors", "values"},
    "radiation": {"errors", "units", "values", "catalogue", "radiation.radiolysis"},
    "network": {"errors", "units", "values"},
    "solve": {"errors", "units", "network"},
    "medium": {"errors", "units", "catalogue", "network", "solve", "values"},
    "particle": {"catalogue", "medium", "network", "solve", "study"},
    "cell": {"errors", "units", "values", "catalogue", "medium", "network", "particle", "radiation", "solve"},
    "observe": {"catalogue", "network"},
    "sampling": {"errors", "values", "catalogue", "fit.overlay", "network"},
    "statistics": {"errors"},
    "report": {"errors", "catalogue"},
    "record": {"errors", "units", "values", "catalogue", "study", "experiment"},
}
# Arrows against the order, each for type names alone: a mechanism is written against the tube that it is added to.
TYPES_ONLY = {
    (f"medium.{m}", "particle.fluid"): "a mechanism reads the attributes of a fluid"
    for m in ("gases", "minerals", "peroxide")
}
TYPES_ONLY["radiation.__init__", "radiation.radiolysis"] = "the public name, loaded when first used"
MOST_LINES, MOST_IN_FUNCTION = 420, 60
LONG_FUNCTIONS = {
    "solve.compiled.compile_network": "one list of everything that a compiled network holds",
    "solve.lanes.kernel.integrate": "the loop over steps, compiled whole; pieces of it would pass all its arrays about",
    "solve.run.simulate_network": "the loop over segments; half of it names arguments and results",
}
SYSTEM_EXAMPLES = {
    "cli.fit": "help text with an example key",
    "cli.new": "the material of a new study where none is named",
    "fit.overlay": "message with an example key",
    "study.__init__": "message with an example fit",
}


@cache
def modules() -> dict[str, ast.Module]:
    """Return the syntax tree of every module by its name below ``nanotrial``; packages end in ``__init__``."""
    names = {".".join(p.relative_to(SOURCE).with_suffix("").parts): p for p in SOURCE.rglob("*.py")}
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in names.items() if name != "__init__"}


def room_of(module: str) -> str:
    rooms = [r for line in ORDER for r in line if module == r or module.startswith(f"{r}.")]
    assert rooms, f"{module} is in no room of the order"
    return max(rooms, key=len)


def named_modules(node: ast.AST) -> list[str]:
    """Return the modules below ``nanotrial`` that an import statement names."""
    if isinstance(node, ast.Import):
        return [a.name.removeprefix("nanotrial.") for a in node.names if a.name.startswith("nanotrial.")]
    if not isinstance(node, ast.ImportFrom):
        return []
    assert node.level == 0, "imports are written out in full"
    module = node.module or ""
    if module == "nanotrial":
        return [a.name for a in node.names if a.name != "__version__"]
    if not module.startswith("nanotrial."):
        return []
    inner = module.removeprefix("nanotrial.")
    return [f"{inner}.{a.name}" if f"{inner}.{a.name}" in modules() else inner for a in node.names]


@cache
def arrows() -> dict[tuple[str, str], bool]:
    """Return (module, imported module) -> whether the import is for types alone."""
    found: dict[tuple[str, str], bool] = {}
    for name, tree in modules().items():
        typing = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            for target in named_modules(node):
                whole = target if target in modules() else f"{target}.__init__"
                assert whole in modules(), f"{name} imports {target}"
                found[name, target] = found.get((name, target), True) and id(node) in typing
    return found


def test_the_walk_sees_imports_of_every_kind():
    assert arrows()["places.build", "study"] is False
    assert arrows()["medium.gases", "particle.fluid"] is True
    assert arrows()["medium.minerals", "solve.run"] is False, "inside a function"
    assert len(arrows()) > 150


def test_every_room_is_there():
    known = {room_of(module) for module in modules()}
    assert known == {room for line in ORDER for room in line}


def test_imports_go_one_way():
    level = {room: i for i, line in enumerate(ORDER) for room in line}
    wrong = []
    for module, target in arrows():
        here, there = room_of(module), room_of(target)
        if here != there and level[there] >= level[here] and (module, target) not in TYPES_ONLY:
            wrong.append(f"{module} -> {target}")
    assert wrong == []


def test_rooms_know_no_more_than_they_need():
    for room, allowed in ONLY.items():
        known = {room_of(t) for m, t in arrows() if room_of(m) == room} - {room}
        if room == "medium":
            known -= {"particle"}
        assert known <= allowed, f"{room} knows {known - allowed}"


def test_arrows_against_the_order_are_for_types_alone():
    for arrow in TYPES_ONLY:
        assert arrows().get(arrow) is True, arrow


def test_nobody_imports_the_command_line():
    assert [m for m, t in arrows() if room_of(t) == "cli" and room_of(m) != "cli"] == []


def test_no_module_needs_itself():
    """Imports that run, those inside functions too, form no circle."""
    graph: dict[str, set[str]] = {}
    for (module, target), types_alone in arrows().items():
        if not types_alone:
            graph.setdefault(module, set()).add(target if target in modules() else f"{target}.__init__")
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("errors") < order.index("places.build") < order.index("cli.main")


@pytest.mark.parametrize("name", sorted(modules()))
def test_modules_are_small(name):
    path = SOURCE / f"{name.replace('.', '/')}.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def functions() -> dict[str, ast.FunctionDef]:
    found = {}

    def walk(node: ast.AST, prefix: str) -> None:
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.FunctionDef | ast.ClassDef):
                if isinstance(inner, ast.FunctionDef):
                    found[f"{prefix}.{inner.name}"] = inner
                walk(inner, f"{prefix}.{inner.name}")
            else:
                walk(inner, prefix)

    for name, tree in modules().items():
        walk(tree, name)
    return found


def test_functions_are_small():
    long = {n for n, f in functions().items() if (f.end_lineno or 0) - f.lineno + 1 > MOST_IN_FUNCTION}
    assert long == set(LONG_FUNCTIONS)


def test_public_things_have_docstrings():
    bare = [name for name, tree in modules().items() if not ast.get_docstring(tree)]
    for name, tree in modules().items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                inner = node.body if isinstance(node, ast.ClassDef) else []
                methods = [n for n in inner if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
                bare += [f"{name}.{one.name}" for one in (node, *methods) if not ast.get_docstring(one)]
    assert bare == []


def test_only_the_command_line_prints():
    loud = [
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "exit", "quit")
    ]
    assert [name for name in loud if room_of(name) != "cli"] == []


def texts(tree: ast.Module) -> list[str]:
    """Return the strings of a module that are no docstrings."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef)
    first = [n.body[0] for n in ast.walk(tree) if isinstance(n, owners) and n.body]
    docstrings = {id(n.value) for n in first if isinstance(n, ast.Expr)}
    constants = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in docstrings]
    return [n.value for n in constants if isinstance(n.value, str)]


def test_no_code_knows_a_published_system():
    """What a paper studied stands in the catalogue; code names it in examples for people only."""
    systems = [p.name for p in (ROOT / "systems").iterdir() if p.is_dir()]
    assert systems
    known = {m for m, tree in modules().items() if any(s in text for text in texts(tree) for s in systems)}
    assert known == set(SYSTEM_EXAMPLES)
