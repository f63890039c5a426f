"""`nanotrial evidence`: predict published facts, score the predictions, show one fact with its prediction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nanotrial.cli.guard import guarded
from nanotrial.cli.output import Row, note, progress_bar, say, write_json, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(help="Published facts: predict, score, show.", no_args_is_help=True, rich_markup_mode=None)
Facts = Annotated[Path | None, typer.Option("--facts", help="Facts file (JSON lines); the package's own by default.")]
Members = Annotated[int, typer.Option(min=0, max=100_000, help="Runs with parameters drawn from their spreads.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the draws.")]
WithoutFits = Annotated[
    bool, typer.Option("--without-fits", help="Predict from the sheets alone, as if nothing had been fitted.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def predict(
    facts: Facts = None,
    out: Annotated[Path | None, typer.Option("--out", help="New file for the predictions; stdout by default.")] = None,
    members: Members = 40,
    seed: Seed = 1,
    without_fits: WithoutFits = False,
) -> None:
    """Predict every fact. One JSON line each, with the reason where one is not modelled."""
    import json

    from nanotrial.cli.files import write_new
    from nanotrial.errors import OutputError

    if out is not None and out.exists():
        raise OutputError(f"{out} exists already and is never overwritten. Choose another name with --out.")
    text = "".join(
        json.dumps(row, ensure_ascii=False) + "\n" for row in _predicted(_load(facts), members, seed, without_fits)
    )
    if out is None:
        say(text.rstrip())
        return
    write_new(out, text)
    note(f"Next: nanotrial evidence score --predictions {out}")
    say(f"Predictions: {out}")


def score(
    facts: Facts = None,
    predictions: Annotated[Path | None, typer.Option(help="File of predictions; without it they are made.")] = None,
    members: Members = 40,
    seed: Seed = 1,
    without_fits: WithoutFits = False,
    as_json: Json = False,
) -> None:
    """Compare predictions with facts. A naive baseline stands beside them."""
    from nanotrial.evidence.score import read_predictions, score_rows

    loaded = _load(facts)
    rows = read_predictions(predictions) if predictions is not None else _predicted(loaded, members, seed, without_fits)
    table = score_rows(loaded, rows)
    if as_json:
        write_json(table)
    else:
        write_table(table)


def show(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Id of a fact.")],
    facts: Facts = None,
    members: Members = 40,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """Show one fact, its mapping and its prediction."""
    loaded = _load(facts)
    chosen = [fact for fact in loaded if _id(fact) == identifier]
    if not chosen:
        from nanotrial.errors import EvidenceError, nearest

        where = str(facts) if facts is not None else "facts"
        raise EvidenceError(
            where, f"no fact `{identifier}`", "an id of the file", nearest(identifier, [_id(fact) for fact in loaded])
        )
    row = _predicted(chosen, members, seed)[0]
    about = {"fact": _plain(chosen[0]), "prediction": row}
    if as_json:
        write_json(about)
        return
    for title, table in about.items():
        say(title)
        for key, value in table.items():
            if value not in (None, "", [], {}):
                say(f"  {key}: {value}")


def curves(members: Members = 200, seed: Seed = 1, without_fits: WithoutFits = False, as_json: Json = False) -> None:
    """Compare measured curves with predictions. Says which curves were fitted and which are a test."""
    from nanotrial.evidence.curves import curve_rows

    with progress_bar(0, "evidence") as begin:
        rows = curve_rows(members, seed, begin, without_fits)
    if as_json:
        write_json(rows)
    else:
        write_table(rows)


def _load(path: Path | None) -> Any:
    from nanotrial.evidence.facts import load_facts

    return load_facts(path)


def _predicted(facts: Sequence[Any], members: int, seed: int, without_fits: bool = False) -> list[Row]:
    from nanotrial.evidence.predict import predict_facts
    from nanotrial.solve.ensemble import cores

    with progress_bar(0, "evidence") as begin:
        rows: list[Row] = predict_facts(facts, members, seed, begin, without_fits, cores())
    return rows


def _id(fact: Any) -> str:
    return str(fact["id"] if isinstance(fact, dict) else fact.id)


def _plain(fact: Any) -> Row:
    import dataclasses

    if isinstance(fact, dict):
        return fact
    return {entry.name: getattr(fact, entry.name) for entry in dataclasses.fields(fact)}


for command in (predict, score, show, curves):
    app.command()(guarded(command))
