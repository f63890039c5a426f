"""What each member of an arm is: values of unknown parameters by world, factors by subject and arm.

    theta(world, subject, arm) = v(world) * s(world)^z

z is standard normal, of its own for every parameter, arm, subject and world. v is the arm's own value: drawn from its
spread where it has a source, else as the study states it. s is the size of variability, a geometric standard deviation
that is itself drawn by world. Sources: in the sheets.

Order of members: world-major, member = (world - first) * subjects + subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.catalogue.lookup import Catalogue
from nanotrial.errors import CatalogueError, InputError
from nanotrial.sampling.correlation import correlated_groups
from nanotrial.sampling.designs import balance_note, probabilities, stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.catalogue.schema import Variability, Varied
    from nanotrial.fit.overlay import Overlay
    from nanotrial.network.model import Parameter
    from nanotrial.values import Value

    Vector = NDArray[np.float64]

# Streams that are no parameter: rows of joint draws, sizes of variability.
JOINT, SIZE = "joint draws: ", "size of variability: "


class Draws:
    """Draws of a whole study; small, can be pickled, and gives any slice of worlds.

    ``notes`` says what a user should know of the design.
    """

    def __init__(
        self,
        parameters: Mapping[str, Parameter],
        overlay: Overlay,
        variability: Variability | None,
        worlds: int,
        subjects: int = 1,
        seed: int = 1,
        design: str = "latin_hypercube",
        catalogue: Catalogue | None = None,
    ) -> None:
        """Prepare the draws.

        Arguments:
            parameters: network parameters of all arms by name (``joined_parameters``).
            overlay: fits in force; their joint draws stay joint.
            variability: sheet of the place; None leaves subjects alike.
            worlds: how many worlds.
            subjects: wells, tubes or animals of each arm in each world.
            seed: any whole number from 0.
            design: how worlds are spread; subjects are always independent, as wells are.
            catalogue: where partners of correlations are looked up; by default the package's own.

        Raises:
            InputError: a number of worlds or subjects below one, a negative seed, an unknown design.
            CatalogueError: correlations that cannot be, or a size of variability below 1.
        """
        for name, number, least in (("worlds", worlds, 1), ("subjects", subjects, 1), ("seed", seed, 0)):
            if number != int(number) or number < least:
                raise InputError(name, f"{number}", f"a whole number from {least}")
        self.worlds, self.subjects, self.seed, self.design = int(worlds), int(subjects), int(seed), design
        self._tables = {
            min(t): {n: np.asarray(v, dtype=np.float64) for n, v in t.items() if n in parameters} for t in overlay.draws
        }
        self.joint = frozenset(name for table in overlay.draws for name in table)
        self._values = {n: v for n, p in parameters.items() if (v := self._spread_of(p)) is not None}
        self._groups = correlated_groups(self._values, catalogue or Catalogue())
        self._between = tuple(variability.between) if variability is not None else ()
        _check_entries(self._between)
        probabilities(design, (), self.worlds, 0, 0, self.seed)
        self.notes = tuple(filter(None, [balance_note(design, self.worlds)]))

    def unknown(self, first: int, last: int) -> dict[str, Vector]:
        """Return SI values of every unknown parameter in worlds first to last, each of shape (last - first,)."""
        drawn = self._probabilities(self._values, first, last)
        result = {name: value.sample(drawn[name]) for name, value in self._values.items()}
        return result | self._fitted(first, last)

    def of_arm(
        self, arm_name: str, own_parameters: Mapping[str, Parameter], first: int, last: int
    ) -> dict[str, Vector]:
        """Return the SI values that the members of an arm change, each of shape ((last - first) * subjects,).

        What the arm states is never drawn as unknown, but multiplied by the factors of its subjects where it varies.
        Two arms share their worlds, never their subjects.

        Arguments:
            arm_name: names the streams of the factors.
            own_parameters: network parameters of the arm.
            first: first world.
            last: one past the last world.
        """
        typical = self.typical(arm_name, own_parameters, first, last)
        changes = {name: np.repeat(values, self.subjects) for name, values in typical.items()}
        for entry in self._between:
            names = matched(entry, own_parameters, self._between)
            sizes = self._sizes(entry, first, last) if names else np.empty(0)
            for name in names:
                centre = changes.get(name)
                factors = self._factors(arm_name, name, sizes, first, last)
                changes[name] = factors * (own_parameters[name].value if centre is None else centre)
        return changes

    def typical(
        self, arm_name: str, own_parameters: Mapping[str, Parameter], first: int, last: int
    ) -> dict[str, Vector]:
        """Return what ``of_arm`` does without factors of subjects: one subject per world, shape (last - first,)."""
        own = {n: v for n, p in own_parameters.items() if (v := self._spread_of(p)) is not None}
        strange = sorted(own.keys() - self._values.keys())
        if strange:
            raise InputError(
                f"draws of arm `{arm_name}`", f"`{strange[0]}`", "parameters that the draws were made from"
            )
        drawn = self._probabilities(own, first, last)
        fitted = self._fitted(first, last)
        sourced = [n for n in fitted if n in own_parameters and own_parameters[n].provenance is not None]
        return {n: v.sample(drawn[n]) for n, v in own.items()} | {n: fitted[n] for n in sourced}

    def _spread_of(self, parameter: Parameter) -> Value | None:
        """Return the sourced value of a parameter that has a spread of its own; fitted ones come by rows."""
        value = parameter.provenance
        return value if value and value.distribution and parameter.name not in self.joint else None

    def _probabilities(self, wanted: Iterable[str], first: int, last: int) -> dict[str, Vector]:
        """Return probabilities of at least the wanted parameters, correlated where a source says so."""
        groups = [g for g in self._groups if not set(g.names).isdisjoint(wanted)]
        found = self._raw({*wanted, *(n for g in groups for n in g.names)}, first, last)
        for group in groups:
            found |= group.join(found)
        return found

    def _raw(self, streams: Iterable[str], first: int, last: int) -> dict[str, Vector]:
        """Return probabilities as the design gives them; Sobol points are those of all streams at once."""
        if self.design == "sobol":
            streams = [*self._values, *(JOINT + n for n in self._tables), *(SIZE + e.name for e in self._between)]
        return probabilities(self.design, streams, self.worlds, first, last, self.seed)

    def _fitted(self, first: int, last: int) -> dict[str, Vector]:
        """Return the parameters of fits, row by row of their joint draws."""
        found: dict[str, Vector] = {}
        for label, table in self._tables.items():
            if table:
                count = len(next(iter(table.values())))
                rows = np.floor(self._raw([JOINT + label], first, last)[JOINT + label] * count).astype(int)
                found |= {name: column[rows] for name, column in table.items()}
        return found

    def _sizes(self, entry: Varied, first: int, last: int) -> Vector:
        """Return the geometric standard deviation between subjects by world."""
        label = SIZE + entry.name
        return entry.geometric_sd.sample(self._raw([label], first, last)[label])

    def _factors(self, arm_name: str, name: str, sizes: Vector, first: int, last: int) -> Vector:
        """Return lognormal factors of median 1 in the order of members; more subjects leave those before alone."""
        from scipy import special

        labels = [f"between:{arm_name}:{name}:{subject}" for subject in range(self.subjects)]
        normal = np.stack([special.ndtri(stream(self.seed, label, first, last)) for label in labels], axis=1)
        return np.asarray(np.power(sizes[:, None], normal).ravel())


def matched(entry: Varied, parameters: Iterable[str], entries: Iterable[Varied] = ()) -> list[str]:
    """Return the names that the patterns of an entry of a variability sheet mean.

    Arguments:
        entry: the entry.
        parameters: names of network parameters.
        entries: all entries; a name that another one means too is an error.

    Raises:
        CatalogueError: two entries mean one parameter.
    """
    names = [n for n in parameters if _means(entry, n)]
    for other in entries:
        twice = [n for n in names if other.name != entry.name and _means(other, n)]
        if twice:
            raise CatalogueError(
                f"variability: {entry.name}", f"`{twice[0]}`, which `{other.name}` means too", "one entry per parameter"
            )
    return names


def _check_entries(entries: Iterable[Varied]) -> None:
    """Refuse two entries of one name, and a size of variability that is or may be drawn at or below 1."""
    seen: set[str] = set()
    for entry in entries:
        if entry.name in seen:
            raise CatalogueError(f"variability: {entry.name}", "two entries of this name", "a name of its own")
        seen.add(entry.name)
        value = entry.geometric_sd
        low = value.si if value.distribution is None else float(value.sample(np.array([2.0**-53]))[0])
        if not low > 1.0:
            raise CatalogueError(f"variability: {entry.name}.geometric_sd", f"{low:.4g}", "values above 1 alone")


def _means(entry: Varied, name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in entry.parameters)
