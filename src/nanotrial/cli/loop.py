"""`nanotrial loop`: steady states of a cell of an arm, their stability, the loop gain, the threshold in dose."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanotrial.cli.output import Row, heading, say, write_json, write_table

if TYPE_CHECKING:
    from nanotrial.cell.loop import LoopState, OpenLoop
    from nanotrial.places import BuiltArm

SETS = ("calcium", "redox", "coupling", "energetics")
NEAR = (0.0, 0.5, 0.9, 0.999, 1.001, 2.0)


def examine_loop(
    study: Annotated[Path, typer.Argument(help="Study file (TOML) in a dish.")],
    arm: Annotated[str, typer.Option(help="Arm whose cells are examined; the first one by default.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Examine the loops of calcium and peroxide. One cell of an arm in a bath that holds peroxide at a level."""
    from nanotrial.errors import StudyError
    from nanotrial.places import build_arm
    from nanotrial.study import load_study

    loaded = load_study(study)
    chosen = loaded.arm(arm) if arm else loaded.arms[0]
    built = build_arm(loaded, chosen)
    if built.dish is None:
        raise StudyError(f"{study.name}: place", f"`{loaded.place}`", "`dish`: a loop needs cells")
    about = _examine(built)
    if as_json:
        write_json({"arm": chosen.name, **about})
        return
    say(f"{study}: cells of the arm `{chosen.name}` ({about['line']})")
    say(f"One cell in a bath with {about['calcium_outside_mmol_per_l']:.3g} mmol/L free calcium, from rest, for 48 h.")
    heading(f"Threshold: peroxide outside at which free calcium settles above {about['limit_umol_per_l']:.3g} umol/L")
    write_table(about["thresholds"])
    heading("Steady states; G is the loop gain, stable below 1; at an edge two basins meet")
    write_table(about["states"])


def _examine(built: BuiltArm) -> dict[str, Any]:
    from nanotrial.cell.loop import OpenLoop
    from nanotrial.experiment import Player

    dish = built.dish
    assert dish is not None
    c = Player().runner(built).compiled
    ready = built.prepare(c, c.parameters({n: p.value for n, p in built.network.parameters.items()}))
    outside = float(ready[c.parameter_index("medium.fresh_calcium")])
    cells = dish.cells[0]
    sheets = {k: (getattr(cells, k).identifier, getattr(cells, k).sheet) for k in SETS}
    line = (cells.line.identifier, cells.line.sheet)
    limit = dish.death.sheet.calcium_threshold.si
    loops = {
        ("peroxide", "on"): OpenLoop(line, sheets, outside, feedback=dish.subject.feedback, signal="peroxide"),
        ("energy", "on"): OpenLoop(line, sheets, outside, feedback=dish.subject.feedback, signal="energy"),
        ("peroxide", "off"): OpenLoop(line, sheets, outside, feedback=0.0, signal="peroxide"),
    }
    on = loops["peroxide", "on"].threshold(limit)
    off = loops["peroxide", "off"].threshold(limit)
    places = [on * share for share in NEAR] if math.isfinite(on) else [0.0, 0.1, 1.0]
    rows = [_row(signal, feedback, s) for (signal, feedback), loop in loops.items() for s in _states(loop, places)]
    return {
        "line": dish.line.name,
        "calcium_outside_mmol_per_l": outside,
        "limit_umol_per_l": limit * 1e3,
        "thresholds": [_threshold("on", on), _threshold("off", off)],
        "states": rows,
    }


def _states(loop: OpenLoop, places: list[float]) -> list[LoopState]:
    return [state for place in places for state in loop.states(place)]


def _threshold(feedback: str, value: float) -> Row:
    shown = value * 1e3 if math.isfinite(value) else None
    words = "" if shown is not None else "none up to 10 mmol/L"
    return {"feedback": feedback, "peroxide_outside_umol_per_l": shown, "note": words}


def _row(signal: str, feedback: str, state: LoopState) -> Row:
    return {
        "cut_at": signal,
        "feedback": feedback,
        "peroxide_outside_umol_per_l": state.outside * 1e3,
        "peroxide_inside_umol_per_l": state.peroxide * 1e3,
        "calcium_umol_per_l": state.calcium * 1e3,
        "atp_share": state.atp,
        "potential_mv": state.potential * 1e3,
        "G": state.gain,
        "kind": "edge of two basins" if state.edge else ("stable" if state.stable else "unstable"),
    }
