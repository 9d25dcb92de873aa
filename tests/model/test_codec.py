import json
import math
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.model.analyses import ProjectFile
from reana_bridge.model.codec import CodecError, from_data, to_data
from reana_bridge.model.comparisons import Comparison, MetricComparison, Verdict
from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.model.problems import Problem
from reana_bridge.model.readings import Reading
from reana_bridge.model.reports import Report
from reana_bridge.model.results import Artifact, Failure, Result, StepRecord
from reana_bridge.model.specification import Specification, WorkflowType
from tests.model.strategies import values

STORED = [Result, Comparison, Report, StepRecord, Failure, Problem, ProjectFile, Reading]
ANY_TEXT = st.text(st.characters())  # surrogates and NUL included


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(to_data(value), allow_nan=False))


@pytest.mark.parametrize("cls", STORED, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_round_trip(cls, data):
    value = data.draw(values(cls, text=ANY_TEXT))
    assert from_data(cls, through_json(value)) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(ANY_TEXT | st.sampled_from(["$float", "$text", "$pairs"]), json_values))
def test_round_trip_of_free_documents(document):
    specification = Specification(type=WorkflowType.SERIAL, document=document)
    assert from_data(Specification, through_json(specification)) == specification


@pytest.mark.parametrize(
    "value",
    [1, 1.0, 0, 0.0, -0.0, True, False, "", "nan", "1", 10**400, 1e300, math.inf, -math.inf, "a\x00b"],
    ids=repr,
)
def test_values_keep_their_type(value):
    back = from_data(Metric, through_json(Metric(name="m", value=value))).value
    assert (type(back), repr(back)) == (type(value), repr(value))


def test_nan_stays_nan():
    back = from_data(Metric, through_json(Metric(name="m", value=math.nan)))
    assert isinstance(back.value, float)
    assert math.isnan(back.value)


def test_marks_are_what_the_docstring_says():
    assert to_data(Metric(name="a\x00", value=math.nan)) == {
        "name": {"$text": "a\\x00"},
        "value": {"$float": "nan"},
    }
    assert to_data({"$a": 1}) == {"$pairs": [["$a", 1]]}


def test_defaults_are_left_out_and_unknown_keys_ignored():
    metric = Metric(name="m", value=1)
    assert to_data(metric) == {"name": "m", "value": 1}
    assert from_data(Metric, {"name": "m", "value": 1, "later": [2]}) == metric
    assert (
        to_data(MetricComparison(name="m", baseline=None, head=metric, verdict=Verdict.NEW))["verdict"]
        == "new"
    )


def test_any_annotation_can_be_asked_for():
    steps = (StepRecord(name="fit"), StepRecord(name="plot"))
    assert from_data(tuple[StepRecord, ...], through_json(steps)) == steps
    assert from_data(dict[str, Direction], {"a": "lower"}) == {"a": Direction.LOWER}
    assert from_data(list[int], [1]) == [1]
    assert from_data(Literal["a", "b"], "b") == "b"


@dataclass(frozen=True)
class Tree:
    name: str
    children: tuple["Tree", ...] = ()
    tags: dict[str, str] = field(default_factory=dict[str, str])


def test_a_class_may_hold_itself():
    tree = Tree("a", (Tree("b"), Tree("c", (Tree("d"),))))
    assert from_data(Tree, through_json(tree)) == tree


@pytest.mark.parametrize(
    ("cls", "data", "message"),
    [
        (Metric, [], "is not a mapping with the fields of Metric"),
        (Metric, {"name": "m"}, "needs `value`"),
        (Metric, {"name": 3, "value": 1}, "name: 3 is not a text"),
        (Metric, {"name": "m", "value": [1]}, "value: [1] is not"),
        (Metric, {"name": "m", "value": {"$float": "1"}}, "is not"),
        (Metric, {"name": {"$text": "\\x"}, "value": 1}, "is not a text"),
        (Metric, {"name": "m", "value": 1, "direction": "up"}, "direction: 'up' is not one of 'higher'"),
        (Metric, {"name": "m", "value": 1, "uncertainty": "x"}, "uncertainty: 'x' is not a number"),
        (Artifact, {"path": "a", "digest": "b", "size": True}, "size: True is not a whole number"),
        (Result, {"metrics": {"a": 1}}, "metrics: {'a': 1} is not a list"),
        (Result, {"metrics": [{"name": "m", "value": 1}, 3]}, "metrics: [1]: 3 is not a mapping"),
        (Result, {"environment": 3}, "environment: 3 is not a mapping"),
        (Result, {"environment": {"$pairs": [3]}}, "is not a list of pairs"),
        (Problem, {"message": "m", "file": "f", "severity": "x"}, "severity: 'x' is not one of 'error'"),
        (Comparison, {"baseline": None, "blocked": 1}, "blocked: 1 is not true or false"),
    ],
)
def test_data_that_does_not_fit_is_named(cls, data, message):
    with pytest.raises(CodecError) as caught:
        from_data(cls, data)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "value", [b"x", {1: 2}, {"a"}, object()], ids=["bytes", "a key that is no text", "a set", "an object"]
)
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(TypeError):
        to_data(value)
