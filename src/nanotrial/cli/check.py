"""`nanotrial check`: what a study says, and every default that a run would use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanotrial.cli.output import Row, heading, note, say, write_json, write_table

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
    show_warnings(loaded)
    heading(f"Arms ({len(loaded.arms)})")
    write_table(about["arms"])
    heading(f"Measures ({len(loaded.measures)})")
    write_table(about["measures"])
    if about["cohort"]:
        say("\nCohort: {subjects} {word} per arm, control `{control}`, alpha {alpha:g}".format(**about["cohort"]))
    heading(f"Defaults that a run would use ({len(loaded.defaults)})")
    write_table(about["defaults"])
    if loaded.fits:
        heading("Fits in use: " + ", ".join(loaded.fits))
    say(f"\nThe study is valid. Next: nanotrial explain {study}, or nanotrial run {study}")


def show_warnings(study: Study) -> None:
    """Print to stderr what a user should know before believing a run."""
    for warning in study.warnings:
        note(f"Warning: {warning.key} = {warning.value}: {warning.reason}")


def summary(study: Study) -> dict[str, Any]:
    """Return plain tables of a study: arms, measures, cohort, defaults and fits."""
    return {
        "title": study.title,
        "place": study.place,
        "file": str(study.path),
        "arms": [_arm(arm) for arm in study.arms],
        "measures": [_measure(measure) for measure in study.measures],
        "cohort": _cohort(study),
        "defaults": default_rows(study),
        "fits": list(study.fits),
    }


def default_rows(study: Study) -> list[Row]:
    """Return one row per default: key, value, reason."""
    return [{"key": d.key, "value": d.value, "reason": d.reason} for d in study.defaults]


def _cohort(study: Study) -> Row | None:
    c = study.cohort
    return None if c is None else {"subjects": c.subjects, "word": c.word, "control": c.control, "alpha": c.alpha}


def _arm(arm: Arm) -> Row:
    from nanotrial.study import shown_amount
    from nanotrial.units import display

    given = [f"{a.name} {shown_amount(a)} at {display(a.time, 'h', 4)}" for a in arm.additions]
    taken = [f"{100 * r.fraction:.3g} % of {r.what} at {display(r.time, 'h', 4)}" for r in arm.removals]
    return {
        "arm": arm.name,
        **_subject(arm),
        "temperature": display(arm.subject.temperature, "degC", 4),
        "add": "; ".join(given),
        "remove": "; ".join(taken),
    }


def _subject(arm: Arm) -> Row:
    from nanotrial.study import Subject
    from nanotrial.study.minerals import shown_fluid, shown_surface
    from nanotrial.units import display

    s = arm.subject
    if isinstance(s, Subject):
        surface = {"surface": shown_surface(s.surface)} if s.minerals else {}
        return {"buffer" if s.fluid is None else "fluid": shown_fluid(s), **surface, "ph": s.ph}
    seeded = display(s.seeding_density, "1/cm^2", 3)
    return {
        "cells": s.cells,
        "medium": s.medium,
        "seeded": seeded,
        "oxygen": display(s.oxygen, "%"),
        "ph": round(s.ph, 2),
    }


def _measure(measure: Measure) -> Row:
    hours = [t / 3600.0 for t in measure.times]
    return {
        "measure": measure.name,
        "times": len(hours),
        "from_h": hours[0],
        "until_h": hours[-1],
        "assay": measure.assay or measure.probe,
    }
