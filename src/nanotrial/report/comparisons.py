"""The statistics a paper would give of the predicted experiments: arms against their control, measure by measure."""

from __future__ import annotations

from nanotrial.report.cohort import MOST_ROWS, has_subjects, subject_word, subjects
from nanotrial.report.layout import Record
from nanotrial.report.tables import Column, Row, details, table
from nanotrial.report.words import (
    MISSING,
    count,
    escape,
    finite,
    is_fraction,
    listing,
    measure_title,
    measure_unit,
    number,
    pretty,
)

SMALLEST, LARGEST = 0.001, 0.99
MOST_IN_ALL = 4 * MOST_ROWS  # rows of all tables that are not folded


def statistics(record: Record) -> str:
    """Return the section: one table for each measure, folded where there are many rows."""
    found = record.get("comparisons") or []
    if not found:
        return f"<p>{_nothing(record)}</p>"
    total = sum(len(c["arms"]) for c in found)
    parts = [f"<p>{_meaning(record, found[0])}</p>"]
    for one in found:
        fold = len(one["arms"]) > MOST_ROWS or total > MOST_IN_ALL
        parts.append(details(_summary(one), _table(record, one)) if fold else _table(record, one))
    return "\n".join([*parts, _left_out(record, found)]).strip()


def probability(value: object) -> str:
    """Return p as a paper writes it (HTML): ``< 0.001``, two digits, ``> 0.99``; ``-`` where there is none."""
    if not isinstance(value, int | float) or not finite(value):
        return MISSING
    if value < SMALLEST:
        return f"&lt;&nbsp;{SMALLEST:g}"
    return f"&gt;&nbsp;{LARGEST:g}" if value > LARGEST else f"{value:.{3 if value < 0.0995 else 2}f}"


def _nothing(record: Record) -> str:
    if not record.get("members"):
        return "The central run alone: there is nothing to test."
    if not has_subjects(record):
        word = escape(subject_word(record, 2))
        return f"No {word} that differ were run, so there is no experiment to test: the bands tell what is unknown."
    return "Nothing to compare: it takes the control and one more arm that show the same measure."


def _meaning(record: Record, one: Record) -> str:
    return (
        "<strong>Predicted experiments, not measured ones.</strong> "
        f"{count(one['worlds'], 'world')}; in each an arm has {escape(subjects(record))}, each read once with noise. "
        f"Control: {escape(one['control'])}. Mean, standard deviation (SD) and its standard error (SEM) of one "
        "world, taken over worlds; the difference is to the control of the same world. p: Welch's test against the "
        "control, median over worlds, <strong>not adjusted for the number of arms</strong>. Power: share of worlds "
        f"with p below {number(one['alpha'])}, in brackets its 95&nbsp;% interval, which covers the number of worlds "
        "alone."
    )


def _tested(one: Record) -> list[Record]:
    return [a for a in one["arms"] if a["arm"] != one["control"]]


def _title(one: Record) -> str:
    return f"{measure_title(one['measure'])} at {one['time_h']:.3g} h"


def _summary(one: Record) -> str:
    tested = _tested(one)
    low = sum(finite(a.get("p")) and a["p"] < one["alpha"] for a in tested)
    return f"{_title(one)}: {low} of {count(len(tested), 'arm')} with p below {one['alpha']:g} against the control"


def _table(record: Record, one: Record) -> str:
    name = one["measure"]
    unit = "%" if is_fraction(name) else pretty(measure_unit(name, one["unit"]))
    units = dict.fromkeys(("Mean", "SD", "SEM", "Difference"), f" <small>({unit})</small>" if unit else "")
    units["Difference"] = " <small>(percentage points)</small>" if is_fraction(name) else units["Difference"]
    failed = any(a.get("failed") for a in one["arms"])
    columns = [Column("Arm", "nowrap"), Column("n", "number")]
    columns += [Column(f"{n}{shown}", "number") for n, shown in units.items()]
    columns += [Column("p", "number"), Column("Power", "number")]
    columns += [Column(f"Failed <small>{escape(subject_word(record, 2))} of all worlds</small>", "number")] * failed
    rows = [_row(one, a, failed) for a in sorted(one["arms"], key=lambda a: a["arm"] != one["control"])]
    every = f"analysis of variance over all arms: p {_equals(one.get('p_of_all'))}, median over worlds"
    if not finite(one.get("p_of_all")):
        every = "no world gave an analysis of variance"
    text = f"<strong>{escape(_title(one))}.</strong> Control: {escape(one['control'])}; {every}. "
    text += "Predicted, not measured; p is not adjusted for the number of arms."
    if any(not finite(a.get("p")) for a in _tested(one)):
        word = escape(subject_word(record, 2))
        text += f" No p where no world gave a test: fewer than two {word} were left, or nothing varied."
    return table(text, columns, rows)


def _equals(value: object) -> str:
    shown = probability(value)
    return shown if shown.startswith("&") else f"= {shown}"


def _row(one: Record, arm: Record, failed: bool) -> Row:
    scale = 100.0 if is_fraction(one["measure"]) else 1.0
    control = arm["arm"] == one["control"]
    cells = [escape(arm["arm"]) + (" <small>control</small>" if control else ""), str(arm["n"])]
    cells += [_scaled(arm.get("mean"), scale, 3), _scaled(arm.get("sd"), scale, 2), _scaled(arm.get("sem"), scale, 2)]
    if control:
        cells += [MISSING] * 3
    else:
        shown = _scaled(arm.get("difference"), scale, 3)
        plus = "+" if finite(arm.get("difference")) and arm["difference"] > 0 else ""
        cells += [plus + shown, probability(arm.get("p")), _power(arm)]
    return Row([*cells, str(arm.get("failed") or 0)] if failed else cells)


def _scaled(value: float | None, scale: float, digits: int) -> str:
    return number(scale * value, digits, keep=True) if value is not None and finite(value) else MISSING


def _power(arm: Record) -> str:
    share, low, high = (float(arm[k]) if finite(arm.get(k)) else None for k in ("power", "power_low", "power_high"))
    if share is None or low is None or high is None:
        return MISSING
    return f"{100 * share:.0f}&nbsp;% <small>({100 * low:.0f} to {100 * high:.0f})</small>"


def _left_out(record: Record, found: list[Record]) -> str:
    """Return the arms that stand in no table, such as those that failed."""
    shown = {a["arm"] for one in found for a in one["arms"]}
    missing = [a["name"] for a in record["arms"] if a["name"] not in shown]
    return f'<p class="quiet">In no comparison: {escape(listing(missing))}.</p>' if missing else ""
