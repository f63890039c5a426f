"""`nanotrial explain`: the network of an arm, the defaults, and the budgets that conservation sets on every arm."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanotrial.cli.check import default_rows
from nanotrial.cli.output import Row, heading, note, say, write_json, write_table

if TYPE_CHECKING:
    from nanotrial.network.model import Network
    from nanotrial.places import BuiltArm
    from nanotrial.study import Study

GRADES = ("assumed", "fitted", "derived", "measured", "study")


def explain_study(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).")],
    arm: Annotated[str, typer.Option(help="Arm whose network is shown; the first one by default.")] = "",
    picture: Annotated[Path | None, typer.Option(help="Write a drawing of the network to this new SVG file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show network, parameters, defaults and budgets. The network is that of one arm, the budgets are of all."""
    from nanotrial.places import build_arm
    from nanotrial.study import load_study

    loaded = load_study(study)
    chosen = loaded.arm(arm) if arm else loaded.arms[0]
    if picture is not None:
        _refuse_existing(picture)
    built = [build_arm(loaded, one) for one in loaded.arms]
    shown = built[loaded.arms.index(chosen)]
    tables = _tables(shown) | {"defaults": default_rows(loaded), "budgets": _budgets(loaded, built)}
    if picture is not None:
        _draw(shown.network, picture)
    if as_json:
        write_json({"arm": chosen.name, "mechanisms": list(shown.mechanisms), **tables})
    else:
        _print(loaded, shown, tables)


def _tables(built: BuiltArm) -> dict[str, list[Row]]:
    from nanotrial.network import explain

    parameters = explain.parameter_rows(built.network)
    parameters.sort(key=lambda row: GRADES.index(row["grade"]) if row["grade"] in GRADES else len(GRADES))
    return {
        "compartments": explain.compartment_rows(built.network),
        "species": explain.species_rows(built.network),
        "processes": explain.process_rows(built.network),
        "conserved": explain.conserved_rows(built.network),
        "parameters": parameters,
    }


def _budgets(study: Study, built: list[BuiltArm]) -> list[Row]:
    """Return the budget lines of every arm; an arm that cannot be set up says why."""
    from nanotrial.budgets import arm_budgets
    from nanotrial.errors import SolveError
    from nanotrial.experiment import Player

    player = Player()
    rows: list[Row] = []
    for one in built:
        try:
            budgets = arm_budgets(one, player.runner(one))
        except SolveError as error:
            rows.append(
                {
                    "arm": one.name,
                    "budget": "none",
                    "value": None,
                    "against": None,
                    "unit": "",
                    "binds": False,
                    "meaning": str(error),
                }
            )
            continue
        rows += [
            {
                "arm": one.name,
                "budget": b.name,
                "value": b.value,
                "against": b.against,
                "unit": b.unit,
                "binds": b.binds,
                "meaning": b.meaning,
            }
            for b in budgets
        ]
    return rows


def _print(study: Study, shown: BuiltArm, tables: dict[str, Any]) -> None:
    say(f"{study.path}: {study.title}")
    say(f"Network of the arm `{shown.name}` ({len(study.arms)} arms; choose with --arm)")
    say("Mechanisms: " + (", ".join(shown.mechanisms) or "none"))
    heading(f"Compartments ({len(tables['compartments'])})")
    write_table(tables["compartments"])
    heading(f"Species ({len(tables['species'])})")
    write_table(join_twins(tables["species"], "species"))
    heading(f"Processes ({len(tables['processes'])})")
    write_table(join_twins(tables["processes"], "process"))
    heading("What is conserved")
    write_table(tables["conserved"])
    heading(f"Parameters ({len(tables['parameters'])}), the assumed ones first")
    write_table(tables["parameters"], ("parameter", "value", "grade", "source"))
    heading(f"Defaults that a run would use ({len(tables['defaults'])})")
    write_table(tables["defaults"])
    heading("Budgets of every arm: what conservation allows")
    write_table(tables["budgets"])


def join_twins(rows: list[Row], key: str) -> list[Row]:
    """Return rows in which those whose names differ by a number at the end alone stand once, as ``name.0-8``."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(re.sub(r"\.\d+$", "", str(row[key])), []).append(row)
    joined = []
    for stem, twins in groups.items():
        rest = [{k: v for k, v in row.items() if k != key} for row in twins]
        if len(twins) > 1 and all(r == rest[0] for r in rest):
            first, last = (str(twins[i][key]).rpartition(".")[2] for i in (0, -1))
            joined.append({key: f"{stem}.{first}-{last}", **rest[0]})
        else:
            joined += twins
    return joined


def _refuse_existing(path: Path) -> None:
    from nanotrial.errors import OutputError

    if path.exists():
        raise OutputError(f"{path} exists already and is never overwritten. Choose another name for the picture.")


def _draw(network: Network, path: Path) -> None:
    from nanotrial.cli.files import write_new
    from nanotrial.network.picture import draw_network

    write_new(path, draw_network(network))
    note(f"Picture: {path}")
