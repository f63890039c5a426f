"""Fresh fluid that flows through a tube: what mineral takes is replenished, what is added is washed out."""

import numpy as np
import pytest
from mineral_studies import body_fluid

from nanotrial.errors import StudyError, UnitError
from nanotrial.experiment import Player
from nanotrial.places import build_arm

HOUR = 3600.0
FILM = {"area": "20 cm^2", "inducer": "dspe_peg_alendronate", "cover": "90 %"}


def play(**subject):
    study = body_fluid([{"name": "film"}], {"solid_calcium": {"at": "200 h"}}, surface=FILM, **subject)
    built = build_arm(study, study.arms[0])
    return built, Player().play(built, [0.0, 50 * HOUR, 200 * HOUR])


def test_a_flow_replenishes_what_mineral_takes():
    _, closed = play()
    built, flowing = play(renewal="0.1 1/h")
    assert "medium.renewal" in built.mechanisms
    assert flowing["solid_calcium"][-1] > 1.2 * closed["solid_calcium"][-1]
    # A closed tube ends at the solubility of its mineral; one that is fed holds more in solution.
    assert flowing["calcium"][-1] > closed["calcium"][-1]


def test_what_flowed_in_is_counted():
    built, flowing = play(renewal="0.1 1/h")
    for kind in ("calcium", "phosphate"):
        held = sum(
            flowing[name] * count
            for name, species in built.network.species.items()
            for content, count in species.content.items()
            if content == kind
        )
        np.testing.assert_allclose(held, held[0], rtol=1e-9)
    assert flowing["outside.calcium.flow"][-1] < 0.0


def test_without_flow_there_is_no_mechanism():
    built, _ = play()
    assert "medium.renewal" not in built.mechanisms
    assert not any(name.endswith(".flow") for name in built.network.species)


@pytest.mark.parametrize("wrong", ["2", "-1 1/h", "1 mL"])
def test_wrong_renewal_names_its_key(wrong):
    with pytest.raises((StudyError, UnitError), match="renewal"):
        body_fluid([{"name": "film"}], {"solid_calcium": {"at": "1 h"}}, renewal=wrong)
