"""The cohort of a run in words: worlds, subjects, how members were run, where the spread of a reading comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import median

from nanotrial.report.layout import Record
from nanotrial.report.tables import Column, Row, details, facts, items, table
from nanotrial.report.words import MISSING, count, escape, finite, listing, measure_title, number

MOST_ROWS = 12  # of a table that is not folded
PARTS = ("share_unknown", "share_between", "share_noise")
NOTHING = 1e-9  # shares below are rounding
SINGULAR = {"mice": "mouse", "dishes": "dish"}


def has_subjects(record: Record) -> bool:
    """Say whether worlds have subjects, so that one reading has a spread of its own."""
    return bool(record.get("members") and record.get("subjects"))


def subject_word(record: Record, number_of: int = 1) -> str:
    """Return what a subject is called: tube or well, as a singular for one."""
    word = str(record.get("subject_word") or "subjects")
    return word if number_of != 1 else SINGULAR.get(word, word.removesuffix("s"))


def subjects(record: Record) -> str:
    """Return how many subjects a world has in each arm: ``3 tubes``."""
    found = int(record.get("subjects") or 0)
    return f"{found} {subject_word(record, found)}"


def worlds(record: Record) -> str:
    """Return how many worlds a band rests on; ``up to`` where members failed, or where nothing tells that none did."""
    whole = all(a.get("members_all") == a.get("members_done") for a in record["arms"] if a.get("status") == "done")
    told = any(a.get("members_all") for a in record["arms"])
    return ("" if whole and told else "up to ") + count(int(record.get("members") or 0), "world")


def fact(record: Record) -> str:
    """Return the cohort in a few words, for the facts under the title (HTML)."""
    if not record.get("members"):
        return "none, central run only"
    each = subjects(record) if has_subjects(record) else f"one typical {subject_word(record)}"
    return escape(f"{count(record['members'], 'world')}, {each} in each")


def members_done(record: Record, arm: Record) -> str:
    """Return how many members of an arm reached their end: ``80 of 80 members``; an empty text without members."""
    every = int(arm.get("members_all") or record.get("members") or 0)
    return f"{arm.get('members_done', 0)} of {count(every, 'member')}" if every else ""


def cohort(record: Record) -> str:
    """Return the section: what worlds and subjects are, how members were run, and shares of the spread."""
    if not record.get("members"):
        return "<p>The central run alone: no members were drawn, so nothing here has a band, a spread or a test.</p>"
    return "\n".join(filter(None, [f"<p>{_meaning(record)}</p>", _facts(record), _failed(record), _shares(record)]))


def _meaning(record: Record) -> str:
    word = escape(subject_word(record))
    text = f"{count(record['members'], 'world')}: a world is one draw of what is unknown, the same for all arms. "
    if not has_subjects(record):
        return (
            text + f"In each world an arm has one typical {word}; subjects that differ, and noise, were not asked for."
        )
    return (
        f"{text}In each world an arm has {escape(subjects(record))}, which differ as {escape(subject_word(record, 2))} "
        f"do and are read with noise, and one typical {word}, which shows what is unknown by itself."
    )


def _facts(record: Record) -> str:
    arms = [a for a in record["arms"] if a.get("members_all")]
    done, every = sum(a.get("members_done", 0) for a in arms), sum(a["members_all"] for a in arms)
    rows = [("Members that reached their end", f"{done} of {every}")] if every else []
    return facts([*rows, ("How members were run", escape(record.get("way") or "not recorded"))], wide=True)


def _failed(record: Record) -> str:
    lines = [f"{escape(a['name'])}: {escape(reason)}" for a in record["arms"] for reason in a.get("member_reasons", [])]
    return details(f"Members that failed ({len(lines)})", items(lines)) if lines else ""


def _shares(record: Record) -> str:
    """Return where the variance of one reading at the last time comes from: by arm, or over all arms where many."""
    shown = [(m, a) for m in record["measures"] for a in record["arms"] if _is_shown(a, m)]
    if not has_subjects(record) or not shown:
        return ""
    known = [pair for pair in shown if any(finite(s) for s in _parts(*pair))]
    notes = _reasons(record, shown)
    if not known:
        return f"<p>No shares of the spread of a reading can be told.</p>{notes}"
    text = "<strong>Where the spread of one reading comes from.</strong> Shares of its variance at the last time."
    text += " An estimate of what is unknown that falls below zero counts as zero."
    if len(known) <= MOST_ROWS:
        rows = [Row([_measure(record, m), escape(a["name"]), *map(_share, _parts(m, a))]) for m, a in known]
        columns = [Column("Measure", "nowrap"), Column("Arm", "middle"), *_columns(record)]
        return table(text, columns, rows) + notes
    text += " Median over arms, and in brackets the range; medians need not add up to 100 %."
    names = list(dict.fromkeys(m for m, _ in known))
    rows = []
    for name in names:
        every = [_parts(m, a) for m, a in known if m == name]
        rows.append(
            Row([_measure(record, name), str(len(every)), *(_range(column) for column in zip(*every, strict=True))])
        )
    columns = [Column("Measure", "nowrap"), Column("Arms", "number"), *_columns(record)]
    return "\n".join([table(text, columns, rows), _by_arm(record, names, known), notes])


def _columns(record: Record) -> list[Column]:
    between = f"Between {escape(subject_word(record, 2))}"
    return [Column("What is unknown", "number"), Column(between, "number"), Column("Noise", "number")]


def _by_arm(record: Record, names: list[str], known: list[tuple[str, Record]]) -> str:
    arms: dict[str, dict[str, str]] = {}
    for measure, arm in known:
        cell = "&thinsp;/&thinsp;".join(_percent(s) for s in _parts(measure, arm))
        arms.setdefault(arm["name"], {})[measure] = cell
    rows = [Row([escape(arm), *(cells.get(m, MISSING) for m in names)]) for arm, cells in arms.items()]
    columns = [Column("Arm", "nowrap"), *(Column(escape(measure_title(m)), "number") for m in names)]
    text = f"<strong>Shares by arm</strong> (%): what is unknown / between {escape(subject_word(record, 2))} / noise."
    return details(f"Shares by arm ({count(len(rows), 'arm')})", table(text, columns, rows))


def _measure(record: Record, name: str) -> str:
    return f"{escape(measure_title(name))} <small>at {number(record['measures'][name]['time_h'][-1])} h</small>"


def _last(arm: Record, measure: str, part: str) -> float | None:
    curve: Record = arm.get("curves", {}).get(measure) or {}
    value = (curve.get(part) or [None])[-1]
    return float(value) if finite(value) else None


def _is_shown(arm: Record, measure: str) -> bool:
    return arm.get("status") == "done" and _last(arm, measure, "value") is not None


def _parts(measure: str, arm: Record) -> list[float | None]:
    return [_last(arm, measure, part) for part in PARTS]


def _range(shares: Iterable[float | None]) -> str:
    found = sorted(s for s in shares if s is not None)
    if not found:
        return MISSING
    low, high = _percent(found[0]), _percent(found[-1])
    spread = f" <small>({low} to {high})</small>" if low != high else ""
    return f"{_share(median(found))}{spread}"


def _share(value: float | None) -> str:
    return MISSING if value is None else f"{_percent(value)}&nbsp;%"


def _percent(value: float | None) -> str:
    """Return a share as a whole percentage (HTML); what rounds to nothing or to all says so."""
    if value is None:
        return MISSING
    if NOTHING < value < 0.005:
        return "&lt;&nbsp;1"
    return "&gt;&nbsp;99" if 0.995 <= value < 1 - NOTHING else f"{100 * value:.0f}"


def _reasons(record: Record, shown: list[tuple[str, Record]]) -> str:
    """Return why shares are missing, each reason once with its measures and arms."""
    found: dict[str, dict[str, list[str]]] = {}
    for measure, arm in shown:
        if any(s is None for s in _parts(measure, arm)):
            found.setdefault(_reason(record, measure, arm), {}).setdefault(measure, []).append(arm["name"])
    lines = [f"{escape(why)}: {escape('; '.join(_places(shown, places)))}." for why, places in found.items()]
    return f'<div class="quiet"><p>Why shares are missing:</p>{items(lines)}</div>' if lines else ""


def _places(shown: list[tuple[str, Record]], places: dict[str, list[str]]) -> Iterator[str]:
    for measure, arms in places.items():
        every = len(arms) == sum(m == measure for m, _ in shown)
        where = "all arms" if every and len(arms) > 1 else listing(arms)
        yield f"{measure_title(measure)} in {where}"


def _reason(record: Record, measure: str, arm: Record) -> str:
    low, high, sd = (_last(arm, measure, part) for part in ("low", "high", "sd"))
    if low is None:
        return "No member reached its end"
    if record["members"] == 1:
        return "One world: what is unknown does not show"
    if sd == 0 and low == high:
        return "Nothing varies"
    if _last(arm, measure, "share_noise") is not None:
        word = subject_word(record, 2)
        return f"No world has two {word} that succeeded: what is unknown and what differs between {word} look alike"
    return "Fewer than two worlds succeeded: what is unknown does not show"
