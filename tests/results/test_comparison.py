import pytest

from reana_bridge.model.analyses import FileRule, Rule
from reana_bridge.model.comparisons import Baseline, BaselineReason, FileVerdict, RuleEffect, Verdict
from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.model.results import Artifact, Result, Skipped
from reana_bridge.results.comparison import compare, compare_files, environment_drift
from reana_bridge.results.judging import judge_metrics

BASELINE = Baseline(run_id="r1", sha="8d01b7e" + "0" * 33, branch="main", reason=BaselineReason.MERGE_BASE)
BLOCK = RuleEffect.BLOCK


def metrics(**values):
    return tuple(Metric(name=name, value=value, direction=Direction.HIGHER) for name, value in values.items())


def compare_metrics(before, after, **given):
    return judge_metrics(before, after, **given)[0]


def result(**values):
    return Result(metrics=metrics(**values))


def test_the_order_of_a_report():
    before = metrics(same=1, gone=1, worse=2, better=1, kind=1, b_better=1)
    after = metrics(same=1, worse=1, better=2, kind="x", new=1, b_better=2)
    assert [(one.verdict.value, one.name) for one in compare_metrics(before, after)] == [
        ("worse", "worse"),
        ("better", "b_better"),
        ("better", "better"),
        ("not comparable", "kind"),
        ("new", "new"),
        ("missing", "gone"),
        ("same", "same"),
    ]


def test_of_a_repeated_name_the_first_counts():
    (one,) = compare_metrics(metrics(a=1), (*metrics(a=1), *metrics(a=2)))
    assert one.verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("rule", "proposed", "blocked"),
    [
        (Rule(metric="a", maximum=1, effect=BLOCK), None, True),
        (Rule(metric="a", maximum=3, effect=BLOCK), None, False),
        (Rule(metric="a", maximum=1), None, False),
        (Rule(metric="*", maximum=1, effect=BLOCK), None, True),
        (Rule(metric="b", maximum=1, effect=BLOCK), None, True),
        (Rule(metric="b*", maximum=1, effect=BLOCK), None, False),
        (Rule(metric="b", relative=1, effect=BLOCK), None, False),
        (Rule(metric="gone", relative=1, effect=BLOCK), None, True),
        (Rule(metric="a", maximum=3), Rule(metric="a", maximum=1, effect=BLOCK), False),
        (Rule(metric="a", maximum=1, effect=BLOCK), Rule(metric="a", maximum=3, effect=BLOCK), True),
    ],
)
def test_blocked(rule, proposed, blocked):
    comparison = compare(
        baseline=BASELINE,
        baseline_result=result(a=1, gone=1),
        head=result(a=2),
        made_at=0,
        rules=[rule],
        proposed_rules=[proposed or rule],
    )
    assert comparison.blocked is blocked


def test_only_rules_that_this_commit_changes_are_proposed():
    kept, changed = Rule(metric="a", maximum=1), Rule(metric="a", maximum=5)
    (one,) = compare_metrics(metrics(a=2), metrics(a=2), rules=[kept], proposed_rules=[kept, changed])
    assert [(outcome.rule, outcome.broken, outcome.proposed) for outcome in one.rules] == [
        ("must be at most 1", True, False),
        ("must be at most 5", False, True),
    ]


def test_without_a_baseline_values_and_bounds_remain():
    comparison = compare(
        baseline=None,
        baseline_result=None,
        head=Result(metrics=metrics(a=2), artifacts=(Artifact(path="x", digest="1", size=1),)),
        made_at=7,
        rules=[Rule(metric="a", maximum=1, relative=0.1, effect=BLOCK)],
        no_baseline="main has no run",
    )
    (one,) = comparison.metrics
    assert one.verdict is Verdict.NEW
    assert [outcome.broken for outcome in one.rules] == [None, True]
    assert (comparison.no_baseline, comparison.files, comparison.blocked, comparison.made_at) == (
        "main has no run",
        (),
        True,
        7,
    )


def test_why_there_is_no_baseline_is_said_only_where_there_is_none():
    with_one = compare(baseline=BASELINE, baseline_result=result(), head=result(), no_baseline="x")
    without = compare(baseline=None, baseline_result=None, head=result(), no_baseline="x")
    assert (with_one.no_baseline, without.no_baseline) == ("", "x")


def test_a_baseline_without_its_result_is_refused():
    with pytest.raises(ValueError, match="belong together"):
        compare(baseline=BASELINE, baseline_result=None, head=result(), made_at=0)


def test_files():
    def artifacts(**digests):
        return tuple(Artifact(path=path, digest=digest, size=1) for path, digest in digests.items())

    compared = compare_files(artifacts(a="1", b="1", c="1"), artifacts(a="1", b="2", d="1"))
    assert [(one.path, one.verdict) for one in compared] == [
        ("b", FileVerdict.DIFFERENT),
        ("d", FileVerdict.NEW),
        ("c", FileVerdict.MISSING),
        ("a", FileVerdict.IDENTICAL),
    ]


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({}, {}, ()),
        ({"numpy": "2.1"}, {"numpy": "2.1"}, ()),
        (
            {"numpy": "2.1", "b": "1"},
            {"numpy": "2.2", "a": "3"},
            ("a 3 is new", "b 1 is gone", "numpy 2.1 -> 2.2"),
        ),
    ],
)
def test_environment_drift(before, after, lines):
    assert environment_drift(before, after) == lines


def test_environment_drift_is_bounded():
    lines = environment_drift({}, {f"p{i:03}": "1" for i in range(80)})
    assert len(lines) == 51
    assert lines[-1] == "and 30 more"


def test_ten_thousand_metrics_under_a_hundred_rules():
    before = [Metric(name=f"m{i}", value=float(i)) for i in range(10_000)]
    after = [Metric(name=f"m{i}", value=i * 1.5) for i in range(10_000)]
    rules = [Rule(metric=f"*{i:02}", relative=0.1, effect=BLOCK) for i in range(100)]
    compared = compare_metrics(before, after, rules=rules)
    assert len(compared) == 10_000
    assert sum(len(one.rules) for one in compared) == 9_990  # m0 to m9 have no second digit


@pytest.mark.parametrize(
    ("names", "patterns", "idle"),
    [
        (["fit.mu"], ["fit.mu", "fit.*", "fit.nu"], ("fit.nu",)),
        (["fit.mu"], ["fit.nu", "fit.nu"], ("fit.nu",)),
        ([], ["fit.nu"], ()),
    ],
)
def test_rules_that_judge_nothing_are_named(names, patterns, idle):
    head = Result(metrics=tuple(Metric(name=name, value=1.0) for name in names))
    rules = [Rule(metric=pattern, relative=0.1) for pattern in patterns]
    assert compare(baseline=None, baseline_result=None, head=head, rules=rules).idle == idle


@pytest.mark.parametrize(
    ("before", "after", "globs", "idle"),
    [
        ([], ["plot.png"], ["*.png", "plots/*.png"], ("plots/*.png",)),
        (["old.csv"], ["new.csv"], ["old.csv", "new.csv", "other.csv", "other.csv"], ("other.csv",)),
        ([], [], ["table.csv"], ("table.csv",)),
        ([], ["a.csv"], [], ()),
    ],
)
def test_rules_on_files_that_judge_nothing_are_named(before, after, globs, idle):
    old, new = (
        Result(artifacts=tuple(Artifact(path=path, size=1, digest="0" * 64) for path in paths))
        for paths in (before, after)
    )
    rules = [FileRule(path=glob) for glob in globs]
    compared = compare(baseline=BASELINE, baseline_result=old, head=new, file_rules=rules)
    assert compared.idle_files == idle


def test_a_file_too_large_to_be_kept_is_not_called_absent():
    head = Result(skipped=(Skipped(path="big.csv", reason="too large"),))
    rules = [FileRule(path="big.csv")]
    assert compare(baseline=None, baseline_result=None, head=head, file_rules=rules).idle_files == ()
