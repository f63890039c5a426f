"""`nanotrial check`: what a study says, and every default that a run would use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanotrial.cli.output import Row, heading, say, write_json, write_table

if TYPE_CHECKING:
    from nanotrial.study import Arm, Measure, Study


def check_study(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Validate a study and list every default. Prints arms, measures, and each value that a run would fill in."""
    from nanotrial.fit.overlay import Overlay
    from nanotrial.study import load_study

    loaded = load_study(study)
    Overlay.of_study(loaded)
    about = summary(loaded)
    if as_json:
        write_json(about)
        return
    say(f"{study}: {loaded.title}")
    heading(f"Arms ({len(loaded.arms)})")
    write_table(about["arms"])
    heading(f"Measures ({len(loaded.measures)})")
    write_table(about["measures"])
    heading(f"Defaults that a run would use ({len(loaded.defaults)})")
    write_table(about["defaults"])
    if loaded.fits:
        heading("Fits in use: " + ", ".join(loaded.fits))
    say(f"\nThe study is valid. Next: nanotrial explain {study}, or nanotrial run {study}")


def summary(study: Study) -> dict[str, Any]:
    """Return plain tables of a study: arms, measures, defaults and fits."""
    return {
        "title": study.title,
        "place": study.place,
        "file": str(study.path),
        "arms": [_arm(arm) for arm in study.arms],
        "measures": [_measure(measure) for measure in study.measures],
        "defaults": default_rows(study),
        "fits": list(study.fits),
    }


def default_rows(study: Study) -> list[Row]:
    """Return one row per default: key, value, reason."""
    return [{"key": d.key, "value": d.value, "reason": d.reason} for d in study.defaults]


def _arm(arm: Arm) -> Row:
    from nanotrial.units import display

    given = [
        f"{a.name} {display(a.amount, 'U/mL' if a.basis == 'enzyme' else 'mmol/L', 4)} at {display(a.time, 'h', 4)}"
        for a in arm.additions
    ]
    taken = [f"{100 * r.fraction:.3g} % of {r.what} at {display(r.time, 'h', 4)}" for r in arm.removals]
    s = arm.subject
    buffer = f"{s.buffer} {display(s.concentration, 'mmol/L', 4)}" if s.concentration else s.buffer
    return {
        "arm": arm.name,
        "buffer": buffer,
        "ph": s.ph,
        "temperature": display(s.temperature, "degC", 4),
        "add": "; ".join(given),
        "remove": "; ".join(taken),
    }


def _measure(measure: Measure) -> Row:
    hours = [t / 3600.0 for t in measure.times]
    return {
        "measure": measure.name,
        "times": len(hours),
        "from_h": hours[0],
        "until_h": hours[-1],
        "assay": measure.assay,
    }
