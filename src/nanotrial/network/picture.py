"""A network as a drawing: species and processes in layers from left to right, as plain SVG.

Species that differ only by a number at the end (size classes, shells) share one box, and so do their processes. Layers
follow the arrows: a process stands right of what it takes, a species right of what makes it; links over several layers
are led between the boxes. Species that no process touches stand in a row below.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from nanotrial.network.model import Network

_COLOURS = ("#dbe9f6", "#fde8d0", "#dff0d8", "#f3dff0", "#fff6c9", "#e4e4ee")
_EDGE, _TEXT, _QUIET = "#5a6b7b", "#1b2530", "#5b6772"
_GAP_X, _GAP_Y, _MARGIN, _HEIGHT = 70.0, 20.0, 24.0, 44.0
_FONT = "font-family='Helvetica, Arial, sans-serif'"


@dataclass
class _Node:
    """A species box, a process pill, or a bend of a long link; x, y is its centre."""

    key: str
    kind: str
    lines: tuple[str, ...]
    hover: str = ""
    colour: str = "#ffffff"
    layer: int = 0
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        """Return the width that holds the text."""
        if self.kind == "bend":
            return 0.0
        sizes = (6.0, 7.4) if self.kind == "species" else (7.0, 5.6)
        return max(s * len(t) for s, t in zip(sizes, (*self.lines, ""), strict=False)) + 20.0

    @property
    def height(self) -> float:
        """Return the height of the box, or the room a passing link takes."""
        return 8.0 if self.kind == "bend" else _HEIGHT


@dataclass
class _Link:
    """An arrow from node to node with its count; ``both`` marks a process that runs either way."""

    start: str
    end: str
    count: float
    both: bool
    path: list[str] = field(default_factory=list)


def draw_network(network: Network) -> str:
    """Return an SVG drawing of a network.

    Arguments:
        network: any network; up to about 25 boxes stay legible.
    """
    nodes, links = _graph(network)
    touched = {key for link in links for key in (link.start, link.end)}
    idle = [n for n in nodes.values() if n.key not in touched]
    active = {key: n for key, n in nodes.items() if key in touched}
    _layer(active, links)
    layers = _with_bends(active, links)
    _order(layers, links)
    width, height = _place(layers)
    return _svg(network, active, links, idle, width, height)


def _stem(name: str, many: dict[str, int]) -> str:
    found = re.fullmatch(r"(.+)\.\d+", name)
    return found[1] if found and many[found[1]] > 1 else name


def _counts(names: list[str]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for name in names:
        found = re.fullmatch(r"(.+)\.\d+", name)
        if found:
            counts[found[1]] += 1
    return counts


def _graph(network: Network) -> tuple[dict[str, _Node], list[_Link]]:
    """Return boxes by key and arrows between them, numbered twins joined."""
    of_species, of_process = _counts(list(network.species)), _counts(list(network.processes))
    colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(network.compartments)}
    nodes: dict[str, _Node] = {}
    for name, one in network.species.items():
        stem = _stem(name, of_species)
        plain = re.sub(r"\.\d+$", "", stem)
        head, _, last = plain.rpartition(".")
        label = f"{last} ×{of_species[stem]}" if stem != name else last
        held = ", ".join(f"{n:g} {k}" for k, n in one.content.items())
        hover = f"{stem} in {one.compartment} ({one.unit})" + (f", holds {held}" if held else "")
        nodes.setdefault(f"s:{stem}", _Node(f"s:{stem}", "species", (head, label), hover, colours[one.compartment]))
    links: dict[tuple[str, str], _Link] = {}
    for name, process in network.processes.items():
        stem = _stem(name, of_process)
        key = f"p:{stem}"
        label = f"{stem.rpartition('.')[2]} ×{of_process[stem]}" if stem != name else _short(name)
        nodes.setdefault(key, _Node(key, "process", (label, process.equation), f"{name}, {process.mechanism}"))
        for species, count in process.stoichiometry.items():
            other = f"s:{_stem(species, of_species)}"
            start, end = (other, key) if count < 0 else (key, other)
            links.setdefault((start, end), _Link(start, end, abs(count), "<->" in process.equation))
    return nodes, list(links.values())


def _short(name: str) -> str:
    """Return the part of a process name that says most: the last word that is no number."""
    words = [w for w in name.split(".") if not w.isdigit()]
    return " ".join(words[-2:]) if not name.startswith("particles.") else words[-1]


def _layer(nodes: dict[str, _Node], links: list[_Link]) -> None:
    """Give every node the longest way to it as layer, links that close a circle left out; then pull sources right."""
    after: dict[str, list[str]] = defaultdict(list)
    for link in links:
        after[link.start].append(link.end)
    order = _topological(list(nodes), after)
    rank = {key: i for i, key in enumerate(order)}
    for key in order:
        for other in after[key]:
            if rank[other] > rank[key]:
                nodes[other].layer = max(nodes[other].layer, nodes[key].layer + 1)
    fed = {link.end for link in links}
    for key in reversed(order):
        following = [nodes[o].layer for o in after[key] if rank[o] > rank[key]]
        free = key not in fed or all(link.start not in fed for link in links if link.end == key)
        if following and free:
            nodes[key].layer = min(following) - 1
    lowest = min((n.layer for n in nodes.values()), default=0)
    for node in nodes.values():
        node.layer -= lowest


def _topological(keys: list[str], after: dict[str, list[str]]) -> list[str]:
    """Return an order by depth-first search; links against it close circles."""
    done: dict[str, None] = {}
    seen: set[str] = set()
    for root in keys:
        stack: list[tuple[str, bool]] = [(root, False)]
        while stack:
            key, leaving = stack.pop()
            if leaving:
                done[key] = None
            elif key not in seen:
                seen.add(key)
                stack.append((key, True))
                stack += [(other, False) for other in after[key] if other not in seen]
    return list(reversed(done))


def _with_bends(nodes: dict[str, _Node], links: list[_Link]) -> list[list[_Node]]:
    """Return the layers with bends put in where links pass through, and note each link's way."""
    count = max((n.layer for n in nodes.values()), default=-1) + 1
    layers: list[list[_Node]] = [[] for _ in range(count)]
    for node in list(nodes.values()):
        layers[node.layer].append(node)
    for i, link in enumerate(links):
        a, b = nodes[link.start].layer, nodes[link.end].layer
        step = 1 if b > a else -1
        link.path = [link.start]
        for layer in range(a + step, b, step):
            bend = _Node(f"b:{i}:{layer}", "bend", (), layer=layer)
            nodes[bend.key] = bend
            layers[layer].append(bend)
            link.path.append(bend.key)
        link.path.append(link.end)
    return layers


def _order(layers: list[list[_Node]], links: list[_Link]) -> None:
    """Sort each layer by the mean place of its neighbours, to and fro, and keep the order with fewest crossings."""
    beside: dict[str, list[str]] = defaultdict(list)
    for link in links:
        for a, b in pairwise(link.path):
            beside[a].append(b)
            beside[b].append(a)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, beside)
    for sweep in range(24):
        turn = range(1, len(layers)) if sweep % 2 == 0 else range(len(layers) - 2, -1, -1)
        for i in turn:
            near = layers[i - 1] if sweep % 2 == 0 else layers[i + 1]
            places = {n.key: j for j, n in enumerate(near)}
            own = {n.key: float(j) for j, n in enumerate(layers[i])}
            layers[i].sort(
                key=lambda n, p=places, o=own: _mean(  # type: ignore[misc]
                    [p[k] for k in beside[n.key] if k in p], o[n.key]
                )
            )
        found = _crossings(layers, beside)
        if found < fewest:
            best, fewest = [list(layer) for layer in layers], found
    layers[:] = best


def _mean(values: list[int], default: float) -> float:
    return sum(values) / len(values) if values else default


def _crossings(layers: list[list[_Node]], beside: dict[str, list[str]]) -> int:
    total = 0
    for left, right in pairwise(layers):
        places = {n.key: j for j, n in enumerate(right)}
        pairs = [(i, places[k]) for i, n in enumerate(left) for k in beside[n.key] if k in places]
        total += sum((a - c) * (b - d) < 0 for x, (a, b) in enumerate(pairs) for c, d in pairs[:x])
    return total


def _place(layers: list[list[_Node]]) -> tuple[float, float]:
    """Set the centres; every layer is centred on the tallest. Return the size of the drawing."""
    heights = [sum(n.height for n in layer) + _GAP_Y * (len(layer) - 1) for layer in layers]
    tallest, x = max(heights, default=0.0), _MARGIN
    for layer, height in zip(layers, heights, strict=True):
        wide = max(n.width for n in layer)
        y = _MARGIN + (tallest - height) / 2
        for node in layer:
            node.x, node.y = x + wide / 2, y + node.height / 2
            y += node.height + _GAP_Y
        x += wide + _GAP_X
    return x - _GAP_X + _MARGIN if layers else 2 * _MARGIN, tallest + 2 * _MARGIN


def _svg(
    network: Network, nodes: dict[str, _Node], links: list[_Link], idle: list[_Node], width: float, height: float
) -> str:
    """Join arrows, boxes, the row of untouched species and the legend."""
    width = max(width, 640.0)
    parts = [_arrow(nodes, link) for link in links]
    parts += [_box(n) for n in nodes.values() if n.kind != "bend"]
    y = height
    if idle:
        parts.append(_words(_MARGIN, y + 6, "Touched by no process (counters, and what equilibria share out):"))
        x, y = _MARGIN, y + 40
        for node in idle:
            if x > _MARGIN and x + node.width > width - _MARGIN:
                x, y = _MARGIN, y + _HEIGHT + 10
            node.x, node.y = x + node.width / 2, y
            parts.append(_box(node))
            x += node.width + 12
        y += _HEIGHT / 2 + 12
    x = _MARGIN
    for i, name in enumerate(network.compartments):
        parts.append(
            f"<rect x='{x:.0f}' y='{y + 8:.0f}' width='14' height='14' rx='3' "
            f"fill='{_COLOURS[i % len(_COLOURS)]}' stroke='{_EDGE}' stroke-width='.7'/>"
        )
        parts.append(_words(x + 20, y + 19, name))
        x += 40 + 6.5 * len(name)
    parts.append(_words(x, y + 19, "rounded: process; arrows at both ends: runs either way; number: stoichiometry"))
    size = f"width='{width:.0f}' height='{y + 40:.0f}' viewBox='0 0 {width:.0f} {y + 40:.0f}'"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' {size} role='img'>\n<title>{escape(network.name)}</title>\n"
        "<defs><marker id='tip' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='7' markerHeight='7' "
        f"orient='auto-start-reverse'><path d='M0 0L10 5L0 10z' fill='{_EDGE}'/></marker></defs>\n"
        f"<rect width='100%' height='100%' fill='#ffffff'/>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _words(x: float, y: float, text: str) -> str:
    return f"<text x='{x:.0f}' y='{y:.0f}' {_FONT} font-size='11' fill='{_QUIET}'>{escape(text)}</text>"


def _box(node: _Node) -> str:
    """Draw a species (two lines: where, what) or a process (two lines: name, equation)."""
    x, y, w, h = node.x - node.width / 2, node.y - _HEIGHT / 2, node.width, _HEIGHT
    species = node.kind == "species"
    round_by, fill, dash = (4, node.colour, "") if species else (h / 2, "#f7f8f9", " stroke-dasharray='4 2'")
    (small, large) = node.lines if species else node.lines[::-1]
    above, below = (-7, 11) if small else (4, 4)
    if not species:
        above, below = 13, -3
    return (
        f"<g><title>{escape(node.hover)}</title>"
        f"<rect x='{x:.1f}' y='{y:.1f}' width='{w:.1f}' height='{h:.1f}' rx='{round_by}' fill='{fill}' "
        f"stroke='{_EDGE}' stroke-width='1'{dash}/>"
        f"<text x='{node.x:.1f}' y='{node.y + above:.1f}' text-anchor='middle' {_FONT} font-size='10' "
        f"fill='{_QUIET}'>{escape(small)}</text>"
        f"<text x='{node.x:.1f}' y='{node.y + below:.1f}' text-anchor='middle' {_FONT} font-size='13' "
        f"font-weight='bold' fill='{_TEXT}'>{escape(large)}</text></g>"
    )


def _arrow(nodes: dict[str, _Node], link: _Link) -> str:
    """Draw a link as a smooth way through its bends, with its count beside the process unless that is one."""
    way = [nodes[key] for key in link.path]
    forward = 1.0 if way[-1].layer > way[0].layer else -1.0
    x, y = way[0].x + forward * way[0].width / 2, way[0].y
    text = f"M{x:.1f} {y:.1f}"
    for node in way[1:]:
        to = node.x - forward * node.width / 2
        pull = abs(to - x) / 2 * forward
        text += f" C{x + pull:.1f} {y:.1f} {to - pull:.1f} {node.y:.1f} {to:.1f} {node.y:.1f}"
        x, y = node.x + (forward * node.width / 2 if node.kind != "bend" else 0.0), node.y
    ends = "marker-end='url(#tip)'"
    if link.both:
        ends = "marker-start='url(#tip)' marker-end='url(#tip)'"
    drawn = f"<path d='{text}' fill='none' stroke='{_EDGE}' stroke-width='1.4' {ends}/>"
    if link.count == 1:
        return drawn
    process, other = (way[-1], way[-2]) if way[-1].kind == "process" else (way[0], way[1])
    side = forward if process is way[0] else -forward
    at = (process.x + side * process.width / 2 + other.x - side * other.width / 2) / 2
    halo = "stroke='#ffffff' stroke-width='4' paint-order='stroke'"
    return drawn + (
        f"<text x='{at:.1f}' y='{(process.y + other.y) / 2 + 4:.1f}' text-anchor='middle' {_FONT} "
        f"font-size='11' fill='{_TEXT}' {halo}>{link.count:g}</text>"
    )
