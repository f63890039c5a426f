"""Which arms of a dish belong together: doses of one thing, lines, gas and serum, agents; each with its comparison.

Nothing here knows a published system: groups follow from what differs between the arms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from nanotrial.report.layout import Record, additions, given_text, particle_name, share
from nanotrial.report.words import degrees, finite, listing, plain, units

MOST_ARMS = 7
MOST_CROSSED = 10  # where colour and line style each tell something
MOST_STYLES = 4
FEWEST_DOSES = 3
Culture = tuple[str, ...]

# In the order in which they name a culture; what follows from one before (medium from line) is left out.
_TRAITS: dict[str, tuple[str, Callable[[Record], str]]] = {
    "cells": ("cell lines", lambda a: str(a.get("cells_name") or a.get("cells") or "")),
    "oxygen": ("oxygen", lambda a: f"oxygen {share(a.get('oxygen'))}"),
    "serum": ("serum", lambda a: f"serum {share(a.get('serum'))}"),
    "medium": ("medium", lambda a: str(a.get("medium") or "")),
    "ph": ("pH", lambda a: f"pH {a['ph']:.2f}" if finite(a.get("ph")) else ""),
    "temperature": ("temperature", lambda a: degrees(str(a.get("temperature") or ""))),
    "carbon_dioxide": ("carbon dioxide", lambda a: f"carbon dioxide {share(a.get('carbon_dioxide'))}"),
    "seeding_density": ("seeding", lambda a: f"{a.get('seeding_density') or ''}"),
    "well": ("well", lambda a: str(a.get("well") or "")),
    "volume": ("volume", lambda a: units(str(a.get("volume") or ""))),
}


@dataclass(frozen=True)
class Group:
    """Arms that share a figure: those to compare with come first; each arm has a colour and maybe a line style."""

    title: str
    arms: tuple[str, ...]
    references: frozenset[str]
    colours: dict[str, str]
    styles: dict[str, str] = field(default_factory=dict)
    colour_title: str = "Arm"
    ordered: bool = False

    @property
    def own(self) -> list[str]:
        """Return the arms that are here for themselves."""
        return [a for a in self.arms if a not in self.references]


@dataclass(frozen=True)
class Series:
    """Doses of one thing given alone, in one culture: (dose, arm) in order, and the arm that is given nothing."""

    what: str
    culture: str
    unit: str
    points: tuple[tuple[float, str], ...]
    untreated: str = ""

    @property
    def label(self) -> str:
        """Return the name of the series: what is given, and to which cells if not the usual."""
        return f"{self.what}, {self.culture}" if self.culture else self.what


class Arms:
    """The arms of a dish sorted by culture (everything around the cells) and by what they are given."""

    def __init__(self, arms: list[Record]) -> None:
        """Find the usual culture: the one of most arms, the first among equals."""
        self.by_name: dict[str, Record] = {a["name"]: a for a in arms}
        self.cultures: dict[str, Culture] = {a["name"]: tuple(text(a) for _, text in _TRAITS.values()) for a in arms}
        self.given: dict[str, str] = {a["name"]: given_text(a) for a in arms}
        counts = Counter(self.cultures.values())
        self.usual: Culture = max(counts, key=lambda c: counts[c]) if counts else ()

    def untreated(self, culture: Culture) -> str:
        """Return the arm of a culture that is given nothing, or an empty name."""
        return next((n for n, c in self.cultures.items() if c == culture and not self.given[n]), "")

    def label(self, culture: Culture, among: Iterable[Culture]) -> str:
        """Return what tells a culture from others, in words; what follows from an earlier trait is left out."""
        others = list(among)
        told: list[int] = []
        for i in range(len(_TRAITS)):
            if len({c[i] for c in others}) < 2:
                continue
            keys = {tuple(c[j] for j in told) for c in others}
            if len({(*(c[j] for j in told), c[i]) for c in others}) > len(keys):
                told.append(i)
        return ", ".join(culture[i] for i in told)

    def differs(self, culture: Culture) -> str:
        """Return the first trait in which a culture differs from the usual one."""
        pairs = zip(_TRAITS, culture, self.usual, strict=True)
        found: list[str] = [trait for trait, mine, usual in pairs if mine != usual]
        return found[0] if found else ""

    def is_alone(self, name: str) -> bool:
        """Say whether an arm is given one thing once, and loses none."""
        arm = self.by_name[name]
        bare = not arm.get("removals") and not arm.get("irradiations")
        return len(additions(arm)) == 1 and bare and finite(additions(arm)[0].get("number"))

    def counterpart(self, name: str) -> str:
        """Return the arm of the usual culture that is given the same, or an empty name."""
        return next((n for n, c in self.cultures.items() if c == self.usual and self.given[n] == self.given[name]), "")

    def alone(self, name: str) -> str:
        """Return the arm that has only the particles of a mixture, or an empty name."""
        parts = [a for a in additions(self.by_name[name]) if a.get("kind") == "particle"]
        wanted = [(a["what"], a["amount"]) for a in parts]
        if len(wanted) == len(additions(self.by_name[name])):
            return ""
        for other, culture in self.cultures.items():
            found = [(a["what"], a["amount"]) for a in additions(self.by_name[other])]
            if wanted and other != name and culture == self.cultures[name] and found == wanted:
                return other
        return ""


def dose_series(arms: list[Record]) -> list[Series]:
    """Return what is given alone in at least three doses, for each culture.

    Arguments:
        arms: the arms of a dish.
    """
    known = Arms(arms)
    found: dict[tuple[Culture, str, str], dict[float, str]] = {}
    for name, culture in known.cultures.items():
        if known.is_alone(name):
            (one,) = additions(known.by_name[name])
            dose, unit = _dose(one)
            if dose > 0:
                found.setdefault((culture, one["what"], unit), {}).setdefault(dose, name)
    many = {c for (c, _, _), doses in found.items() if len(doses) >= FEWEST_DOSES} | {known.usual}
    result = []
    for (culture, what, unit), doses in found.items():
        if len(doses) >= FEWEST_DOSES:
            (one,) = additions(known.by_name[next(iter(doses.values()))])
            label = known.label(culture, many) if culture != known.usual else ""
            thing = particle_name(what) if one.get("kind") == "particle" else plain(what)
            result.append(Series(thing, label, unit, tuple(sorted(doses.items())), known.untreated(culture)))
    return result


def _dose(addition: Record) -> tuple[float, str]:
    """Return dose and unit: mmol/L for amounts of substance, otherwise as the study writes it."""
    amount, _, unit = str(addition.get("amount", "")).partition(" ")
    if unit in ("mmol/L", "umol/L", "nmol/L", "mol/L"):
        return float(f"{addition['number']:.6g}"), "mmol/L"
    try:
        return float(amount), unit
    except ValueError:
        return 0.0, unit


def group_arms(arms: list[Record]) -> list[Group]:
    """Return the groups in which the arms of a dish are drawn; every arm is in at least one.

    Arguments:
        arms: the arms that are done.
    """
    if len(arms) <= MOST_ARMS:
        names = tuple(a["name"] for a in arms)
        bare = frozenset(n for n in names if not given_text(next(a for a in arms if a["name"] == n)))
        first = tuple(sorted(names, key=lambda n: n not in bare))
        return [Group("All arms", first, bare if len(bare) == 1 else frozenset(), {n: n for n in names})]
    known = Arms(arms)
    series = dose_series(arms)
    groups = [_doses(known, s) for s in series]
    placed = {arm for s in series for _, arm in s.points}
    rest = [n for n in known.by_name if n not in placed]
    usual = [n for n in rest if known.cultures[n] == known.usual and known.given[n]]
    mixed = [n for n in usual if known.alone(n)]
    groups += _agents(known, [n for n in usual if n not in mixed], "Given alone or together")
    groups += _agents(known, mixed, "Particles with something else")
    groups += _cultures(known, [n for n in rest if known.cultures[n] != known.usual])
    shown = {a for g in groups for a in g.arms}
    left = [n for n in rest if n not in shown]
    return groups + _chunks(known, left, "Other arms", lambda _: [])


def _doses(known: Arms, series: Series) -> Group:
    names = [arm for _, arm in series.points]
    labels = {arm: units(str(additions(known.by_name[arm])[0]["amount"])) for arm in names}
    references = [series.untreated] if series.untreated else []
    return Group(
        f"Doses of {series.label}",
        (*references, *names),
        frozenset(references),
        labels | dict.fromkeys(references, "none"),
        colour_title=f"Dose of {series.label}",
        ordered=True,
    )


def _agents(known: Arms, names: list[str], title: str) -> list[Group]:
    def references(name: str) -> list[str]:
        return [r for r in (known.untreated(known.usual), known.alone(name)) if r]

    return _chunks(known, names, title, references)


def _chunks(known: Arms, names: list[str], title: str, references: Callable[[str], list[str]]) -> list[Group]:
    """Return groups of few arms by name, each with the arms to compare with in front."""
    chunks: list[tuple[list[str], list[str]]] = []
    for name in names:
        wanted = references(name)
        for held, own in chunks:
            merged = list(dict.fromkeys([*held, *wanted]))
            if len(merged) + len(own) < MOST_ARMS:
                held[:] = merged
                own.append(name)
                break
        else:
            chunks.append((list(dict.fromkeys(wanted)), [name]))
    groups = []
    for i, (held, own) in enumerate(chunks, start=1):
        arms = tuple(dict.fromkeys([*held, *own]))
        label = f"{title}, {i} of {len(chunks)}" if len(chunks) > 1 else title
        groups.append(Group(label, arms, frozenset(held) - set(own), {n: n for n in arms}))
    return groups


def _cultures(known: Arms, names: list[str]) -> list[Group]:
    """Return groups of other cultures beside the usual one: lines by themselves, what else differs together."""
    lines = [n for n in names if known.differs(known.cultures[n]) == "cells"]
    others = [n for n in names if n not in lines]
    groups = []
    for part in (lines, others):
        for chunk in _culture_chunks(known, part):
            groups.append(_culture_group(known, chunk))
    titles = Counter(g.title for g in groups)
    seen: Counter[str] = Counter()
    result = []
    for g in groups:
        seen[g.title] += 1
        title = f"{g.title}, {seen[g.title]} of {titles[g.title]}" if titles[g.title] > 1 else g.title
        result.append(Group(title, g.arms, g.references, g.colours, g.styles, g.colour_title))
    return result


def _culture_chunks(known: Arms, names: list[str]) -> list[list[str]]:
    """Return names in chunks that one figure can show; the arms of one culture stay together."""
    chunks: list[list[str]] = []
    for culture in dict.fromkeys(known.cultures[n] for n in names):
        own = [n for n in names if known.cultures[n] == culture]
        for i in range(0, len(own), MOST_ARMS - 2):
            more = own[i : i + MOST_ARMS - 2]
            if chunks and len(_with_counterparts(known, [*chunks[-1], *more])) <= MOST_CROSSED:
                chunks[-1] += more
            else:
                chunks.append(list(more))
    return chunks


def _with_counterparts(known: Arms, names: list[str]) -> list[str]:
    return list(dict.fromkeys([*filter(None, (known.counterpart(n) for n in names)), *names]))


def _culture_group(known: Arms, names: list[str]) -> Group:
    arms = _with_counterparts(known, names)
    among = list(dict.fromkeys(known.cultures[n] for n in arms)) if len(arms) > len(names) else [
        known.usual, *dict.fromkeys(known.cultures[n] for n in names)
    ]  # fmt: skip
    kinds = list(dict.fromkeys(known.differs(known.cultures[n]) for n in names))
    title = listing([_TRAITS[k][0] for k in kinds if k])
    colours = {n: known.label(known.cultures[n], among) for n in arms}
    styles = {n: known.given[n] or "nothing" for n in arms}
    crossed = len(set(styles.values())) <= MOST_STYLES and len(set(colours.values())) <= MOST_ARMS
    if not crossed or len({(colours[n], styles[n]) for n in arms}) < len(arms):
        colours, styles = {n: n for n in arms}, {}
    if len(set(styles.values())) < 2:
        styles = {}
    references = frozenset(arms) - set(names)
    heading = "Arm" if colours[arms[0]] == arms[0] else (title[:1].upper() + title[1:]).replace("Cell lines", "Cells")
    return Group(title[:1].upper() + title[1:], tuple(arms), references, colours, styles, heading)
