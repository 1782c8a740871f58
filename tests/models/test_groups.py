"""Groups: every one is counted, the large ones are judged, and the gap is between the best and the worst."""

import numpy as np
import pytest

from models.errors import NotJudged
from models.evaluation.groups import gaps_of, groups_of, require_groups
from models.evaluation.scored import Scored
from tests.models.verdicts import FEW, answers, many


@pytest.fixture(scope="module")
def unfair() -> Scored:
    """40 women judged well, 40 men whose scores mean nothing, 20 of whom nothing is known."""
    good = np.tile([0.2, 0.8], 20)
    useless = np.tile([0.2, 0.8, 0.8, 0.2], 10)
    label = np.tile([0, 1], 50)
    probability = np.concatenate([good, useless, good[:20]])
    sex = ["F"] * 40 + ["M"] * 40 + [""] * 20
    return answers(probability, label, groups={"sex": sex, "scanner": ["A"] * 100})


def test_a_group_is_judged_by_its_own_studies_alone(unfair: Scored) -> None:
    women, men, unknown, *_ = groups_of(unfair, FEW)
    assert [(one.name, one.patients, one.positives) for one in (women, men, unknown)] == [
        ("F", 40, 20),
        ("M", 40, 20),
        ("not known", 20, 10),
    ]
    assert women.figures["auc"].value == 1.0
    assert men.figures["auc"].value == 0.5
    assert men.figures["auc"].low < 0.5 < men.figures["auc"].high
    assert women.figures["ece"].value == pytest.approx(0.2)


def test_of_fewer_than_thirty_patients_nothing_is_concluded(unfair: Scored) -> None:
    unknown = groups_of(unfair, FEW)[2]
    assert not unknown.conclusive
    assert not unknown.figures
    siblings = answers(
        unfair.probability[:40], unfair.label[:40], patients=["one", "two"] * 20, groups={"sex": ["F"] * 40}
    )
    assert not groups_of(siblings, FEW)[0].conclusive


def test_the_gap_names_the_best_and_the_worst_and_how_sure_it_is(unfair: Scored) -> None:
    gaps = {gap.figure: gap for gap in gaps_of(unfair, groups_of(unfair, FEW), FEW)}
    assert {gap.of for gap in gaps.values()} == {"sex"}
    auc = gaps["auc"]
    assert (auc.best, auc.worst, auc.difference.value) == ("F", "M", 0.5)
    assert 0.2 < auc.difference.low < 0.5 < auc.difference.high < 0.8


def test_one_group_alone_has_no_gap_and_asking_for_it_is_refused(unfair: Scored) -> None:
    require_groups(unfair, ["sex"])
    with pytest.raises(NotJudged, match="every study has the same scanner"):
        require_groups(unfair, ["scanner"])
    with pytest.raises(NotJudged, match="no property 'age'"):
        require_groups(unfair, ["age"])
    assert groups_of(many(40), FEW) == ()
