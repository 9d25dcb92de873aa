"""Reads a feature file and judges its scenarios, each of which becomes a check.

A scenario passes where all its sentences hold, and is skipped where a `When` does not apply. One with a
sentence that nobody knows is an error; the other scenarios of the file are judged all the same.
"""

from typing import Any, cast

from reana_bridge.model.readings import Check, CheckState, Reading
from reana_bridge.results.gherkin.facts import Facts
from reana_bridge.results.gherkin.steps import NotApplicable, Unmet, judge
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.gathering import MAX_NAME, MAX_TEXT, Gathering, unusable

MAX_SCENARIOS = 500
MAX_SENTENCES = 200
MAX_SENTENCE = 4_000


def read(text: str, *, source: str, facts: Facts) -> Reading:
    """The scenarios of the feature file `text` as checks.

    Args:
        text: The file's content.
        source: Its path in the repository.
        facts: The run that they are asked of.
    """
    # Loaded here alone: few analyses have such files.
    from gherkin.errors import ParserError
    from gherkin.parser import Parser
    from gherkin.pickles.compiler import Compiler

    try:
        document = cast("dict[str, Any]", Parser().parse(text))
        feature: dict[str, Any] = document.get("feature") or {}
        document["uri"] = source
        scenarios = cast("list[dict[str, Any]]", Compiler().compile(cast("Any", document)))
    except (ParserError, RecursionError) as error:
        return unusable(source, f"is no Gherkin: {one_line(str(error), 300)}")
    if not feature:
        return unusable(source, "is no Gherkin: it has no `Feature:`")
    found = Gathering(source)
    group = one_line(str(feature.get("name", "")), MAX_NAME)
    for scenario in scenarios[:MAX_SCENARIOS]:
        found.check(_check(scenario, group, source, facts))
    if len(scenarios) > MAX_SCENARIOS:
        found.complain(group, f"has more than {MAX_SCENARIOS} scenarios; the others were left out")
    return found.reading()


def _check(scenario: dict[str, Any], group: str, source: str, facts: Facts) -> Check:
    state, message = _judged(scenario["steps"], facts)
    name = one_line(str(scenario["name"]), MAX_NAME) or "(without a name)"
    return Check(name=name, state=state, message=one_line(message, MAX_TEXT), source=source, group=group)


def _judged(sentences: list[dict[str, Any]], facts: Facts) -> tuple[CheckState, str]:
    if not sentences:
        return CheckState.SKIPPED, "has no sentence"
    if len(sentences) > MAX_SENTENCES:
        return CheckState.ERROR, f"has more than {MAX_SENTENCES} sentences"
    for sentence in sentences:
        text = _text(sentence)
        if len(text) > MAX_SENTENCE:
            return CheckState.ERROR, f"has a sentence of more than {MAX_SENTENCE:,} characters"
        try:
            known = judge(sentence["type"], text, facts)
        except NotApplicable as reason:
            return CheckState.SKIPPED, str(reason)
        except Unmet as reason:
            return CheckState.FAILED, f"{text}: {reason}"
        if not known:
            return CheckState.ERROR, f"`{text}` is no sentence that REANA knows after {sentence['type']}"
    return CheckState.PASSED, ""


def _text(sentence: dict[str, Any]) -> str:
    """The sentence; a text block below it stands at its end, in quotes."""
    block = sentence.get("argument", {}).get("docString")
    return f'{sentence["text"]} "{block["content"]}"' if block else sentence["text"]
