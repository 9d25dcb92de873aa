import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.model.analyses import (
    Analysis,
    FileRule,
    HistoryLimit,
    HistoryTest,
    MetricHint,
    MetricsFile,
    NoteWhen,
    OnMergeRequest,
    OnPush,
    OnSchedule,
    PartRule,
    ProjectFile,
    Rule,
    Target,
    Triggers,
)
from reana_bridge.model.bridge_yaml import (
    DEFAULT_TRIGGERS,
    default_project_file,
    documented_keys,
    json_schema,
    parse,
)
from reana_bridge.model.comparisons import RuleEffect
from reana_bridge.model.metrics import Direction
from reana_bridge.model.problems import ConfigurationError
from tests.model.attempts import attempt

REFERENCE = (Path(__file__).parent / "reference.yaml").read_text()


def one(text: str) -> Analysis:
    (analysis,) = parse(text).analyses
    return analysis


def test_the_reference_example():
    fit = Analysis(
        name="fit",
        on=Triggers(
            push=OnPush(branches=("main", "release/*"), paths_ignore=("docs/**", "**/*.md")),
            merge_request=OnMergeRequest(
                branches=("main",), labels=("!no-physics",), drafts=False, paths=("code/**", "reana.yaml")
            ),
            tags=("v*",),
            schedules=(
                OnSchedule(cron="0 3 * * 1-5", timezone="Europe/Zurich", parameters={"events": 1_000_000}),
                OnSchedule(cron="30 12 1 * *"),
            ),
            manual=False,
        ),
        parameters={"events": 10_000, "luminosity": 139.5, "channel": "ee", "blind": True},
        backend="reana",
        network=False,
        timeout=5400.0,
        priority=5,
        metrics=(
            MetricsFile(path="results/metrics.json"),
            MetricsFile(path="results/yields-*.csv", format="csv", prefix="yields."),
        ),
        hints=(
            MetricHint(
                name="fit.upper_limit",
                unit="fb",
                direction=Direction.LOWER,
                description="Observed upper limit",
            ),
            MetricHint(name="fit.mu", direction=Direction.TARGET, target=1.0),
        ),
        artifacts=("plots/*.png", "results/fit.json"),
        rules=(
            Rule(metric="fit.upper_limit", relative=0.05, sigmas=3, effect=RuleEffect.BLOCK),
            Rule(metric="yields.*", absolute=10, effect=RuleEffect.INFORM),
            Rule(metric="fit.chi2_ndf", minimum=0.5, maximum=2),
        ),
        files=(
            FileRule(
                path="results/*.csv",
                relative=1e-6,
                parts=(PartRule(name="mass", absolute=0.1), PartRule(name="h_*", p_value=0.01)),
                ignore=("*.created",),
                effect=RuleEffect.BLOCK,
            ),
            FileRule(path="results/hists.root", kind="histograms", absolute=0, p_value=0.001),
        ),
        cancel_superseded=False,
        note=NoteWhen.NEVER,
    )
    validation = Analysis(
        name="validation",
        file="validation/reana.yaml",
        on=Triggers(push=OnPush(), tags=("**",)),
        cancel_superseded=True,
        note=NoteWhen.ON_CHANGE,
    )
    by_hand = Analysis(name="by-hand", on=Triggers(), cancel_superseded=True, note=NoteWhen.ON_CHANGE)
    assert parse(REFERENCE) == ProjectFile(analyses=(fit, validation, by_hand), cancel_superseded=True)


@pytest.mark.parametrize(
    ("keys", "rule"),
    [
        ("history: true", {"history": HistoryLimit()}),
        ("history: {test: z}", {"history": HistoryLimit(test=HistoryTest.Z, minimum_runs=30)}),
        (
            "history: {test: iqr, runs: 6, sigmas: 4}",
            {"history": HistoryLimit(test=HistoryTest.IQR, runs=6, minimum_runs=6, sigmas=4)},
        ),
        ("sigmas: 3, correlation: -0.5", {"sigmas": 3, "correlation": -0.5}),
        ("target: {value: 1, minimum: 0.2}", {"target": Target(value=1, minimum=0.2)}),
        ("maximum: 2, where: {dataset: '2018*'}", {"maximum": 2, "where": {"dataset": "2018*"}}),
    ],
)
def test_rules(keys, rule):
    (found,) = parse(f"rules: [{{metric: a, {keys}}}]").analyses[0].rules
    assert found == Rule(metric="a", **rule)


def test_reana_yaml_alone_and_a_file_without_triggers_mean_the_same():
    assert default_project_file().analyses == (Analysis(name="analysis", on=DEFAULT_TRIGGERS),)
    assert parse("file: reana.yaml") == default_project_file()
    assert parse("{}") == default_project_file()
    assert parse("analyses: {analysis: }") == default_project_file()
    assert one("on:") == one("{}")
    assert one("name: fit").name == "fit"


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("{push: }", Triggers(push=OnPush())),
        ("{push: true}", Triggers(push=OnPush())),
        ("{push: {}}", Triggers(push=OnPush())),
        ("{push: false}", Triggers()),
        ("{push: {branches: '**'}}", Triggers(push=OnPush(branches=("**",)))),
        ("{merge-request: true, comment: false}", Triggers(merge_request=OnMergeRequest(), comment=False)),
        ("{tag: }", Triggers(tags=("**",))),
        ("{tag: false}", Triggers()),
        ("{tag: v*}", Triggers(tags=("v*",))),
        ("{schedule: '@daily'}", None),
        ("{schedule: 0 3 * * *}", Triggers(schedules=(OnSchedule(cron="0 3 * * *"),))),
        ("{schedule: {cron: 0 3 * * SUN}}", Triggers(schedules=(OnSchedule(cron="0 3 * * SUN"),))),
    ],
)
def test_triggers(on, expected):
    if expected is None:
        with pytest.raises(ConfigurationError):
            parse(f"on: {on}")
    else:
        assert one(f"on: {on}").on == expected


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90", 90),
        ("1.5", 1.5),
        ("90s", 90),
        ("90m", 5400),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1d", 86400),
        ("1d2h3m4s", 93784),
        ("30d", 2592000),
    ],
)
def test_lengths_of_time(written, seconds):
    assert one(f"timeout: {written}").timeout == seconds


@pytest.mark.parametrize(
    ("written", "fraction"), [("5%", 0.05), ("2.5 %", 0.025), ("0.05", 0.05), ("0", 0), ("200%", 2.0)]
)
def test_fractions(written, fraction):
    assert one(f"rules: [{{metric: a, relative: {written}}}]").rules[0].relative == fraction


MISTAKES = [
    # text, line, key, fragments of message and hint
    ("filee: x", 1, "filee", ["is not known", "did you mean `file`?"]),
    ("files: [{path: a.csv, effect: fail}]", 1, "files[0].effect", ["must be one of its words"]),
    ("files: [{path: /a.csv}]", 1, "files[0].path", ["relative"]),
    ("files: [{kind: csv}]", 1, "files[0].path", ["is missing"]),
    ("files: [{path: a.csv, relative: -1}]", 1, "files[0].relative", ["must be at least 0"]),
    ("files: [{path: a.csv, parts: {x: {}}}]", 1, "files[0].parts.x", ["says nothing"]),
    ("files: [{path: h.root, p-value: 2}]", 1, "files[0].p-value", ["must be at most 1"]),
    ("files: [{path: a.png, kind: image, effect: block}]", 1, "files[0].effect", ["pictures are advice"]),
    ("analysis: {}", 1, "analysis", ["did you mean `analyses`?"]),
    ("analyses:", 1, "analyses", ["not nothing"]),
    ("analyses: {}", 1, "analyses", ["is empty"]),
    ("analyses: [fit]", 1, "analyses", ["must be keys with values, not a list"]),
    ("analyses:\n  fit: reana.yaml", 2, "analyses.fit", ["must be keys with values"]),
    ("analyses:\n  my fit: {}", 2, "analyses['my fit']", ["is no name", "letters"]),
    ("analyses:\n  -x: {}", 2, "analyses.-x", ["is no name"]),
    ("analyses:\n  ../x: {}", 2, "analyses['../x']", ["is no name"]),
    ("analyses:\n  fit: {}\nbackend: x", 3, "backend", ["move it below an analysis"]),
    ("analyses:\n  fit: {}\ncancel: true", 3, "cancel", ["is not known"]),
    (
        "analyses:\n  fit:\n    on:\n      push:\n        branch: [main]",
        5,
        "analyses.fit.on.push.branch",
        ["`branches`"],
    ),
    ("analyses:\n  fit:\n    metrik: x", 3, "analyses.fit.metrik", ["did you mean `metrics`?"]),
    ("analyses: {" + "".join(f"a{n}: , " for n in range(51)) + "}", 1, "analyses", ["more than 50 entries"]),
    ("name: a b", 1, "name", ["is no name"]),
    ("name:", 1, "name", ["must be a text, not nothing"]),
    ("file: 5", 1, "file", ["must be a text, not the number `5`", "quotes"]),
    ("file: /reana.yaml", 1, "file", ["absolute"]),
    ("file: ../reana.yaml", 1, "file", ["`..`"]),
    ("file: '*.yaml'", 1, "file", ["a pattern, not a file"]),
    ('file: "a\\nb"', 1, "file", ["line break"]),
    ("on: push", 1, "on", ["not the text `push`", "`push: true`"]),
    ("on: [push]", 1, "on", ["not a list", "`push: true`"]),
    ("on: true", 1, "on", ["truth value `true`"]),
    ("on:\n  pull_request: true", 2, "on.pull_request", ["is not known"]),
    ("on:\n  merge_request: true", 2, "on.merge_request", ["did you mean `merge-request`?"]),
    ("on:\n  tags: [v*]", 2, "on.tags", ["did you mean `tag`?"]),
    ("on:\n  pushes: true", 2, "on.pushes", ["did you mean `push`?"]),
    ("on:\n  push: yes", 2, "on.push", ["not the text `yes`"]),
    ("on:\n  push: main", 2, "on.push", ["must be keys with values, not the text `main`"]),
    ("on:\n  push: {paths_ignore: a}", 2, "on.push.paths_ignore", ["did you mean `paths-ignore`?"]),
    ("on:\n  push:\n    branches: []", 3, "on.push.branches", ["is empty", "leave the key out"]),
    ("on:\n  push:\n    branches: {a: b}", 3, "on.push.branches", ["must be a list"]),
    (
        "on:\n  push:\n    branches:\n    - main\n    - 5",
        5,
        "on.push.branches[1]",
        ["must be a text, not the number `5`"],
    ),
    ("on:\n  push:\n    branches:\n    - ''", 4, "on.push.branches[0]", ["empty pattern"]),
    ("on:\n  push:\n    paths: src/**.py", 3, "on.push.paths", ["`**` beside", "alone between slashes"]),
    ("on:\n  push:\n    paths: [/src]", 3, "on.push.paths[0]", ["begins with `/`"]),
    ("on:\n  push:\n    paths: [" + "a," * 51 + "]", 3, "on.push.paths", ["more than 50 entries"]),
    (
        "on:\n  merge-request:\n    drafts: no",
        3,
        "on.merge-request.drafts",
        ["`true` or `false`, not the text `no`"],
    ),
    ("on:\n  merge-request:\n    label: x", 3, "on.merge-request.label", ["did you mean `labels`?"]),
    ("on:\n  comment: 1", 2, "on.comment", ["must be `true` or `false`"]),
    ("on:\n  tag: []", 2, "on.tag", ["is empty"]),
    ("on:\n  tag: ['!']", 2, "on.tag[0]", ["empty pattern"]),
    ("on:\n  schedule: daily", 2, "on.schedule", ["five fields", "`0 3 * * 1-5`"]),
    ("on:\n  schedule: 5", 2, "on.schedule", ["must be keys with values"]),
    ("on:\n  schedule:\n  - cron: 0 25 * * *", 3, "on.schedule[0].cron", ["no cron line", "hour"]),
    ("on:\n  schedule:\n  - cron: 0 0 30 2 *", 3, "on.schedule[0].cron", ["cron line"]),
    ("on:\n  schedule:\n  - cron: '0 0 0 * * *'", 3, "on.schedule[0].cron", ["five fields"]),
    ("on:\n  schedule:\n  - timezone: UTC", 3, "on.schedule[0].cron", ["is missing"]),
    (
        "on:\n  schedule:\n    cron: 0 3 * * *\n    timezone: Zurich",
        4,
        "on.schedule.timezone",
        ["is no time zone"],
    ),
    (
        "on: {schedule: {cron: 0 3 * * *, timezone: Europe/Zürich}}",
        1,
        "on.schedule.timezone",
        ["`Europe/Zurich`"],
    ),
    ("on: {schedule: {cron: 0 3 * * *, timezone: ../UTC}}", 1, "on.schedule.timezone", ["is no time zone"]),
    ("on: {schedule: {cron: 0 3 * * *, tz: UTC}}", 1, "on.schedule.tz", ["is not known"]),
    ("on: {schedule: [" + "0 3 * * *," * 21 + "]}", 1, "on.schedule", ["more than 20 entries"]),
    ("parameters: [a]", 1, "parameters", ["must be keys with values"]),
    ("parameters:\n  a: [1]", 2, "parameters.a", ["a text, a number or a truth value"]),
    ("parameters:\n  a:", 2, "parameters.a", ["a text, a number or a truth value"]),
    ("parameters:\n  a: .nan", 2, "parameters.a", ["no finite number"]),
    ("parameters:\n  a: " + "x" * 10_001, 2, "parameters.a", ["longer than 10000"]),
    ('parameters:\n  "a\\tb": 1', 2, "parameters['a�b']", ["no parameter's name"]),
    ("backend: 5", 1, "backend", ["must be a text"]),
    ("backend: " + "x" * 64, 1, "backend", ["more than 63 characters"]),
    ("network: 'true'", 1, "network", ["must be `true` or `false`"]),
    ("timeout: soon", 1, "timeout", ["`soon` is no length of time", "`90m`"]),
    ("timeout: 0", 1, "timeout", ["is no length of time"]),
    ("timeout: -5", 1, "timeout", ["is no length of time"]),
    ("timeout: .inf", 1, "timeout", ["is no length of time"]),
    ("timeout: true", 1, "timeout", ["must be a length of time"]),
    ("timeout: 31d", 1, "timeout", ["longer than 30 days"]),
    ("timeout: 90 minutes", 1, "timeout", ["is no length of time"]),
    ("priority: high", 1, "priority", ["must be a whole number, not the text `high`", "write a whole"]),
    ("priority: '3'", 1, "priority", ["must be a whole number", "write it without quotes"]),
    ("priority: 1.5", 1, "priority", ["must be a whole number"]),
    ("priority: 101", 1, "priority", ["must be at most 100"]),
    ("priority: -101", 1, "priority", ["must be at least -100"]),
    ("metrics: 5", 1, "metrics", ["must be keys with values"]),
    ("metrics:\n- ../m.json", 2, "metrics[0]", ["`..`"]),
    ("metrics:\n- path: m.json\n- format: json", 3, "metrics[1].path", ["is missing"]),
    ("metrics:\n- {path: m.json, fromat: json}", 2, "metrics[0].fromat", ["did you mean `format`?"]),
    ("hints: [a]", 1, "hints", ["must be keys with values"]),
    ("hints:\n  a: {units: fb}", 2, "hints.a.units", ["did you mean `unit`?"]),
    ("hints:\n  a: {direction: lowr}", 2, "hints.a.direction", ["did you mean `lower`?"]),
    ("hints:\n  a: {direction: 5}", 2, "hints.a.direction", ["`higher`, `lower`, `target` or `none`"]),
    ("hints:\n  a: {direction: target}", 2, "hints.a.direction", ["has no `target`"]),
    ("hints:\n  a:\n    direction: lower\n    target: 1", 4, "hints.a.target", ["makes no sense"]),
    ("hints:\n  a: {target: .nan}", 2, "hints.a.target", ["finite number"]),
    ("artifacts: [/tmp/x]", 1, "artifacts[0]", ["absolute"]),
    ("artifacts: []", 1, "artifacts", ["is empty"]),
    ("rules: {metric: a}", 1, "rules", ["must be a list"]),
    ("rules:\n- metric: a", 2, "rules[0]", ["has no limit", "`relative`"]),
    ("rules:\n- relative: 5%", 2, "rules[0].metric", ["is missing"]),
    (
        "rules:\n- metric: a\n  relative: 5 percent",
        3,
        "rules[0].relative",
        ["neither a fraction nor a percentage"],
    ),
    ("rules:\n- metric: a\n  relative: -1", 3, "rules[0].relative", ["must be at least 0"]),
    ("rules:\n- metric: a\n  sigmas: -1", 3, "rules[0].sigmas", ["must be at least 0"]),
    ("rules:\n- metric: a\n  sigma: 3", 3, "rules[0].sigma", ["did you mean `sigmas`?"]),
    ("rules:\n- metric: a\n  absolute: '3'", 3, "rules[0].absolute", ["must be a number, not the text `3`"]),
    ("rules:\n- metric: a\n  absolute: .inf", 3, "rules[0].absolute", ["finite number"]),
    ("rules:\n- metric: a\n  minimum: 2\n  maximum: 1", 4, "rules[0].maximum", ["is below `minimum`"]),
    (
        "rules:\n- {metric: a, sigmas: 3, effect: error}",
        2,
        "rules[0].effect",
        ["`block`, `warn` or `inform`"],
    ),
    ("rules:\n- {metric: a, history: {test: mda}}", 2, "rules[0].history.test", ["did you mean `mad`?"]),
    (
        "rules:\n- metric: a\n  history: {runs: 9, minimum-runs: 20}",
        3,
        "rules[0].history.minimum-runs",
        ["the 9 runs"],
    ),
    ("rules:\n- metric: a\n  history: {runs: 501}", 3, "rules[0].history.runs", ["at most 500"]),
    ("rules:\n- metric: a\n  history: 3", 3, "rules[0].history", ["keys with values"]),
    ("rules:\n- metric: a\n  history: {}\n  sigmas: 31", 4, "rules[0].sigmas", ["at most 30"]),
    ("rules:\n- metric: a\n  target: {}", 3, "rules[0].target", ["has no level"]),
    (
        "rules:\n- metric: a\n  target: {minimum: 1, design: 3, stretch: 2}",
        3,
        "rules[0].target",
        ["neither rise nor fall"],
    ),
    ("rules:\n- metric: a\n  target: {value: 1, minimum: -1}", 3, "rules[0].target.minimum", ["without `-`"]),
    ("rules:\n- metric: a\n  target: {value: 1, minimum: 1, design: 2}", 3, "rules[0].target", ["distances"]),
    ("rules:\n- metric: a\n  target: {minimum: 1, goal: 2}", 3, "rules[0].target.goal", ["`stretch`"]),
    ("rules:\n- metric: a\n  sigmas: 1\n  correlation: 2", 4, "rules[0].correlation", ["at most 1"]),
    ("rules:\n- metric: a\n  absolute: 1\n  correlation: 0.5", 4, "rules[0].correlation", ["add `sigmas`"]),
    ("rules:\n- metric: a\n  absolute: 1\n  where: {}", 4, "rules[0].where", ["is empty"]),
    ("rules:\n- metric: a\n  absolute: 1\n  where: {a: 3}", 4, "rules[0].where.a", ["in quotes"]),
    ("rules:\n- metric: a\n  history: false", 2, "rules[0]", ["has no limit"]),
    ("rules:\n- {metric: a, sigmas: 3, effect: blok}", 2, "rules[0].effect", ["did you mean `block`?"]),
    ("rules:\n- {metric: '', sigmas: 3}", 2, "rules[0].metric", ["no metric's name"]),
    ("cancel_superseded: true", 1, "cancel_superseded", ["did you mean `cancel-superseded`?"]),
    ("cancel-superseded: 1", 1, "cancel-superseded", ["must be `true` or `false`"]),
    ("note: sometimes", 1, "note", ["`always`, `on-change`, `on-failure` or `never`"]),
    ("note: on_change", 1, "note", ["did you mean `on-change`?"]),
]


@pytest.mark.parametrize(("text", "line", "key", "fragments"), MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes(text, line, key, fragments):
    with pytest.raises(ConfigurationError) as caught:
        parse(text)
    found = [problem for problem in caught.value.problems if (problem.line, problem.key) == (line, key)]
    assert any(all(fragment in str(problem) for fragment in fragments) for problem in found), str(
        caught.value
    )


def test_there_are_enough_mistakes():
    assert len(MISTAKES) >= 60


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file():
    with pytest.raises(ConfigurationError) as caught:
        parse("timeout: x\nbackends: y\nrules:\n- {metric: a}\n- {metrics: b, sigmas: 3}\n")
    lines = [problem.line for problem in caught.value.problems]
    assert lines == [1, 2, 4, 5, 5]
    assert str(caught.value.problems[1]) == (
        ".reana-bridge.yaml line 2: `backends`: is not known; did you mean `backend`?"
    )


def test_the_number_of_problems_is_bounded():
    with pytest.raises(ConfigurationError) as caught:
        parse("".join(f"key{n}: 1\n" for n in range(20_000)))
    assert len(caught.value.problems) == 100


VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def test_the_schema_is_one_and_takes_the_reference_example():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    VALIDATOR.validate(
        yaml.load(REFERENCE, yaml.BaseLoader) | {"analyses": {"fit": {}}, "cancel-superseded": True}
    )


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ('{"metrics": "m.json"}', True),
        ('{"metrics": ["m.json", {"path": "x", "format": "csv"}]}', True),
        ('{"metrics": {"path": "x"}}', True),
        ('{"metrics": [{"pth": "x"}]}', False),
        ('{"on": {"push": null, "merge-request": true, "tag": "v*"}}', True),
        ('{"on": {"push": {"branches": "main"}, "tag": false}}', True),
        ('{"on": {"push": {"branch": "main"}}}', False),
        ('{"on": {"schedule": "0 3 * * *"}}', True),
        ('{"on": {"schedule": {"cron": "0 3 * * *"}}}', True),
        ('{"on": {"schedule": ["0 3 * * *", {"cron": "0 3 * * *", "parameters": {"a": true}}]}}', True),
        ('{"timeout": "90m", "priority": 3, "network": true}', True),
        ('{"timeout": 90, "rules": [{"metric": "a", "relative": "5%"}]}', True),
        ('{"timeout": "soon"}', False),
        ('{"priority": 1000}', False),
        ('{"analyses": {"fit": {"file": "x.yaml"}}}', True),
        ('{"analyses": {"fit": null}}', True),
        ('{"analyses": {"my fit": {}}}', False),
        ('{"analyses": {}}', False),
        ('{"analyses": {"fit": {"filee": "x"}}}', False),
        ('{"parameters": {"a": [1]}}', False),
        ('{"hints": {"a": {"direction": "lower", "unit": "fb"}}}', True),
        ('{"hints": {"a": {"direction": "down"}}}', False),
        ('{"artifacts": "plots/*.png", "cancel-superseded": false}', True),
    ],
)
def test_schema_and_parser_agree(text, good):
    assert VALIDATOR.is_valid(json.loads(text)) is good
    if good:
        parse(text)
    else:
        with pytest.raises(ConfigurationError):
            parse(text)


def test_every_key_is_documented():
    keys = documented_keys()
    assert all(len(description) > 10 for description in keys.values())
    assert {"analyses", "name", "on.push.paths-ignore", "on.schedule[].cron", "metrics[].path"} <= set(keys)
    assert {"rules[].effect", "hints.<name>.unit", "cancel-superseded", "parameters", "timeout"} <= set(keys)
    assert not [key for key in keys if "_" in key]


def test_every_key_of_the_reference_example_is_documented():
    keys = set(documented_keys())

    def walk(value, prefix):
        if isinstance(value, dict):
            for key, inner in value.items():
                name = "<name>" if prefix in ("hints.", "files[].parts.") else key
                if prefix.endswith("parameters."):
                    continue
                yield prefix + name
                yield from walk(inner, f"{prefix}{name}.")
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner, prefix.removesuffix(".") + "[].")

    for analysis in yaml.load(REFERENCE, yaml.BaseLoader)["analyses"].values():
        written = set(walk(analysis, "")) - {"hints.<name>", "files[].parts.<name>"}
        assert written <= keys


YAMLISH = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["5%", "2h", "0 3 * * *", "main", "block", "Europe/Zurich"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                sorted({part.strip("[]") for key in documented_keys() for part in key.split(".")})
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(st.text() | st.binary() | st.dictionaries(st.text(max_size=5), YAMLISH).map(json.dumps))
def test_whatever_is_written_gives_a_project_file_or_problems(text):
    project_file, problems = attempt(parse, text)
    assert bool(problems) is (project_file is None)
    assert project_file is None or project_file.analyses


@given(
    st.fixed_dictionaries({}, optional={key: YAMLISH for key in documented_keys() if "." not in key}),
)
def test_whatever_stands_below_the_known_keys_gives_a_project_file_or_problems(document):
    project_file, problems = attempt(parse, json.dumps(document))
    assert bool(problems) is (project_file is None)
    assert all(problem.line is not None or "empty" in problem.message for problem in problems)
