"""What a comment asks for, and what only looks like it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.model.commands import HELP, MAXIMUM_COMMANDS, Command, CommandName, Mistake, parse
from reana_bridge.model.comments import own_lines

A, B = "a1" * 20, "b2" * 32
RUN, HELPING = Command(name=CommandName.RUN), Command(name=CommandName.HELP)
RETEST, STATUS = Command(name=CommandName.RETEST), Command(name=CommandName.STATUS)
WHY, CANCEL = Command(name=CommandName.WHY), Command(name=CommandName.CANCEL)
NOTHING: tuple[Command, ...] = ()


def run(analysis: str = "", **parameters: Any) -> Command:
    return Command(name=CommandName.RUN, analysis=analysis, parameters=parameters)


def approve(sha: str) -> Command:
    return Command(name=CommandName.APPROVE, argument=sha)


def accept(metric: str, reason: str) -> Command:
    return Command(name=CommandName.ACCEPT, argument=metric, reason=reason)


def compare(ref: str) -> Command:
    return Command(name=CommandName.COMPARE, argument=ref)


@pytest.mark.parametrize(
    ("body", "commands"),
    [
        ("/reana run", (RUN,)),
        ("/reana retest", (RETEST,)),
        ("/reana cancel", (CANCEL,)),
        ("/reana cancel fit", (Command(name=CommandName.CANCEL, analysis="fit"),)),
        ("/reana status", (STATUS,)),
        ("/reana why", (WHY,)),
        ("/reana help", (HELPING,)),
        ("/reana help me please", (HELPING,)),
        ("/reana", (HELPING,)),
        ("/reana   ", (HELPING,)),
        (f"/reana approve {A}", (approve(A),)),
        (f"/reana approve {A.upper()}", (approve(A),)),
        (f"/reana approve {B}", (approve(B),)),
        ("/reana compare main", (compare("main"),)),
        ("/reana compare feature/x-1", (compare("feature/x-1"),)),
        ("/reana compare refs/tags/v1.0", (compare("refs/tags/v1.0"),)),
        ("/reana compare 8d01b7e", (compare("8d01b7e"),)),
        ("/reana run fit", (run("fit"),)),
        ("/reana run fit.low-pt_2", (run("fit.low-pt_2"),)),
        ("/reana run fit lumi=140", (run("fit", lumi=140),)),
        ("/reana run lumi=140 cut=2.5", (run(lumi=140, cut=2.5),)),
        ("/reana run on=true name=yes", (run(on=True, name="yes"),)),
        ('/reana run fit name="a b"', (run("fit", name="a b"),)),
        ("/reana run fit name=\u201ca b\u201d", (run("fit", name="a b"),)),
        ('/reana run n="140"', (run(n="140"),)),
        ('/reana run n=""', (run(n=""),)),
        ("/reana run n=", (run(n=""),)),
        ("/reana run n=.nan", (run(n=".nan"),)),
        ("/reana run n=null", (run(n="null"),)),
        ("/reana run url=a=b&c=d", (run(url="a=b&c=d"),)),
        ("/reana run n=don't", (run(n="don't"),)),
        ("/reana accept yield new trigger", (accept("yield", "new trigger"),)),
        ("/Reana Accept\tyield.signal\tnew", (accept("yield.signal", "new"),)),
        (
            '/reana accept "upper limit (95 % CL)"  it\'s 5" now ',
            (accept("upper limit (95 % CL)", "it's 5\" now"),),
        ),
        ("/reana accept \u201cupper limit\u201d so", (accept("upper limit", "so"),)),
        ("/reana accept fit/yield so", (accept("fit/yield", "so"),)),
    ],
)
def test_each_command(body: str, commands: tuple[Command, ...]):
    assert parse(body) == commands


@pytest.mark.parametrize(
    ("body", "commands"),
    [
        ("/REANA RUN", (RUN,)),
        ("/Reana Run Fit", (run("Fit"),)),
        ("/reana\trun", (RUN,)),
        ("/reana\u00a0run", (RUN,)),
        ("/reana   run    fit  ", (run("fit"),)),
        ("/reana run\r\n", (RUN,)),
        ("Thanks!\r\n/reana run\r\nBye", (RUN,)),
        ("Thanks!\r/reana run", (RUN,)),
        (" /reana run", (RUN,)),
        ("   /reana run", (RUN,)),
        ("\n\n/reana run\n\n", (RUN,)),
        ("Looks good.\n/reana run", (RUN,)),
        ("Looks good.  \n/reana run", (RUN,)),
        ("Looks good.\\\n/reana run", (RUN,)),
        ("# Title\n/reana run", (RUN,)),
        ("/reana run\n---\nJane", (RUN,)),
        ("/reana run\n===", (RUN,)),
        ("- a point\n/reana run", (RUN,)),
        ("- a point\n\n/reana run", (RUN,)),
        ("> quoted\n\n/reana run", (RUN,)),
        ("```\ncode\n```\n/reana run", (RUN,)),
        ("<!-- hidden -->\n\n/reana run", (RUN,)),
        ("a `code` b\n/reana run", (RUN,)),
        ("\\`a\n/reana run\n`", (RUN,)),
        ("<details>\n\nfolded\n\n</details>\n\n/reana run", (RUN,)),
        (">>>\nquoted\n>>>\n\n/reana run", (RUN,)),
        ("/reana run\n/reana why", (RUN, WHY)),
        ("/reana run fit\n/reana run scan", (run("fit"), run("scan"))),
        ("/reana run\n\n/reana run\n/reana status", (RUN, STATUS)),
        ("/reana run\n/merge\n/reana why", (RUN, WHY)),
    ],
)
def test_lines_of_their_own(body: str, commands: tuple[Command, ...]):
    assert parse(body) == commands


@pytest.mark.parametrize(
    "body",
    [
        "",
        "run",
        "/reanarun",
        "/reana-run",
        "/reana: run",
        "/reana, run",
        "/reanas",
        "//reana run",
        "\\/reana run",
        "&#47;reana run",
        "please /reana run",
        "@bot /reana run",
        "reana run",
        "/ reana run",
        "- /reana run",
        "1. /reana run",
        "# /reana run",
        "**/reana run**",
        "    /reana run",
        "\t/reana run",
        "a\n\n    /reana run",
        "a\n     /reana run",
        "```\n/reana run\n```",
        "```\n/reana run",
        "```sh\n/reana run\n```",
        "~~~\n/reana run\n~~~",
        "````\n```\n/reana run\n```\n````",
        "- ```\n  /reana run\n  ```",
        "`/reana run`",
        "`a\n/reana run\nb`",
        "``a\n/reana run\n` b``",
        "> /reana run",
        ">/reana run",
        "> a\n/reana run",
        "> > a\n>\n> /reana run",
        "- > /reana run",
        ">>>\n/reana run\n>>>",
        ">>>\na\n\n/reana run\n\nb\n>>>",
        ">>>>\n/reana run",
        "<!-- /reana run -->",
        "<!--\n/reana run\n-->",
        "<!--\n\n/reana run\n\n-->",
        "<!--\n\n/reana run",
        "a <!--\n/reana run\n-->",
        "<pre>\n/reana run\n</pre>",
        "<pre>\n\n/reana run\n\n</pre>",
        "<code>\n/reana run\n</code>",
        "a <code>\n/reana run\n</code>",
        "<blockquote>\n\n/reana run\n\n</blockquote>",
        "<details>\n\n/reana run\n\n</details>",
        "<DETAILS open>\n\n/reana run",
        "<details><details></details>\n\n/reana run",
        "<div>\n/reana run\n</div>",
        'a <a title="\n/reana run\n">',
    ],
)
def test_what_is_no_command(body: str):
    assert parse(body) == NOTHING


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/reana rnu", "did you mean `/reana run`?"),
        ("/reana run.", "did you mean `/reana run`?"),
        ("/reana rerun", "did you mean `/reana run`?"),
        ("/reana accpet", "did you mean `/reana accept`?"),
        ("/reana accept", "needs a metric and a reason"),
        ("/reana accept yield", "say why `yield` may differ"),
        ("/reana accept yield reason", "say why `yield` may differ"),
        ('/reana accept "upper limit"', "say why `upper limit` may differ"),
        ('/reana accept "" so', "no metric's name"),
        ('/reana accept "upper limit so', "do not fit"),
        ('/reana accept "a"b so', "do not fit"),
        ('/reana accept a"b so', "do not fit"),
        ("/reana accept " + "x" * 1001 + " so", "no metric's name"),
        ("/reana accept yield " + "x" * 501, "longer than 500"),
        ("/reana xyzzy", "`/reana help` lists"),
        ("/reana /run", "there is no command `/run`"),
        ("/reana approve", "all 40 (or 64) digits"),
        ("/reana approve 8d01b7e", "all 40 (or 64) digits"),
        (f"/reana approve {A[:39]}", "all 40 (or 64) digits"),
        (f"/reana approve {A}1", "all 40 (or 64) digits"),
        (f"/reana approve {A[:39]}g", "all 40 (or 64) digits"),
        ("/reana approve " + "\u0663" * 40, "all 40 (or 64) digits"),
        (f"/reana approve {A} now", "`now` is too much"),
        ("/reana run fit scan", "`scan` is no parameter"),
        ("/reana run n=1 fit", "`fit` is no parameter"),
        ("/reana run n=1 n=2", "given twice"),
        ("/reana run =1", "no parameter's name"),
        ("/reana run `fit`", "no analysis' name"),
        ("/reana run ../x", "no analysis' name"),
        ("/reana run <!-- x -->", "`x` is no parameter"),
        ("/reana run " + "x" * 64, "no analysis' name"),
        ('/reana run n="a b', "no partner"),
        ('/reana run fit n=a"', "no partner"),
        ("/reana run n=" + "x" * 10_001, "longer than 10000"),
        ("/reana run " + " ".join(f"n{each}=1" for each in range(101)), "at most 100 parameters"),
        ("/reana retest fit", "`fit` is too much"),
        ("/reana status please", "`please` is too much"),
        ("/reana why not", "`not` is too much"),
        ("/reana cancel fit scan", "`scan` is too much"),
        ("/reana compare", "needs a branch"),
        ("/reana compare a b", "`b` is too much"),
        ("/reana compare --upload-pack=x", "no branch, tag or commit"),
        ("/reana compare main..dev", "no branch, tag or commit"),
        ("/reana compare main~1", "no branch, tag or commit"),
        ("/reana compare HEAD^", "no branch, tag or commit"),
        ("/reana compare a:b", "no branch, tag or commit"),
        ("/reana compare @{u}", "no branch, tag or commit"),
        ("/reana compare " + "x" * 251, "no branch, tag or commit"),
        ('/reana compare ""', "no branch, tag or commit"),
    ],
)
def test_mistakes_say_what_to_write_instead(line: str, problem: str):
    (mistake,) = parse(line)
    assert isinstance(mistake, Mistake)
    assert problem in mistake.problem
    assert len(mistake.line) <= 60
    assert len(mistake.problem) < 300


def test_a_mistake_does_not_stop_the_next_command():
    first, second = parse("/reana rnu\n/reana run")
    assert isinstance(first, Mistake)
    assert second == RUN


def test_at_most_so_many_commands():
    found = parse("\n".join(f"/reana run a{number}" for number in range(50)))
    assert found[:-1] == tuple(run(f"a{number}") for number in range(MAXIMUM_COMMANDS))
    assert isinstance(found[-1], Mistake)


def test_a_long_comment_is_read_to_its_limit():
    assert parse("/reana run\n" + "x" * 10**6) == (RUN,)
    assert parse("x" * 65_530 + "\n\n/reana run") == NOTHING


def test_help_names_every_command():
    assert all(f"`/reana {name}" in HELP for name in CommandName)
    assert parse(HELP) == NOTHING


PIECES = st.sampled_from(
    [
        *("/reana", " run", " fit", "\n", "\r\n", "`", "```", ">", ">>>", "    ", "<!--", "-->", "<code>"),
        *(
            "</code>",
            '"',
            "=",
            "a=1",
            "- ",
            "\\",
            "<details>",
            "\0",
            "\ud800",
            "\u2028",
            "[",
            "](",
            "|",
            "---",
        ),
    ]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=30).map("".join))
def test_no_comment_raises_and_lines_are_those_of_the_comment(body: str):
    source = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert set(own_lines(body)) <= set(source)
    for found in parse(body):
        assert isinstance(found, Command | Mistake)
