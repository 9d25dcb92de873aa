import pytest

from reana_bridge.model.globs import glob_mistake, matches


@pytest.mark.parametrize(
    ("text", "globs", "expected"),
    [
        ("main", (), True),
        ("main", ("main",), True),
        ("main2", ("main",), False),
        ("release/1", ("release/*",), True),
        ("release/1/x", ("release/*",), False),
        ("release/1/x", ("release/**",), True),
        ("release", ("release/**",), False),
        ("a/b/c.md", ("**/*.md",), True),
        ("c.md", ("**/*.md",), True),
        ("c.md", ("*.md",), True),
        ("a/c.md", ("*.md",), False),
        ("docs/a/b", ("docs/",), True),
        ("docs", ("docs/",), False),
        ("docs2/a", ("docs/",), False),
        ("a/b/c/d", ("a/**/d",), True),
        ("a/d", ("a/**/d",), True),
        ("a/b/c", ("a/**/d",), False),
        (".github/x", ("**",), True),
        (".github/x", ("*/x",), True),
        ("Main", ("main",), False),
        ("main", ("!main",), False),
        ("other", ("!main",), True),
        ("v1-rc1", ("v*", "!*-rc*"), False),
        ("v1", ("v*", "!*-rc*"), True),
        ("v1-rc1", ("!*-rc*", "v*"), False),
        ("v1", ("v[0-9]",), True),
        ("va", ("v[!0-9]",), True),
        ("a+b.c", ("a+b.c",), True),
        ("x", ("{x,y}",), False),
        ("line\nbreak", ("line*",), True),
        ("a/b/c", ("**/**/c",), True),
    ],
)
def test_matches(text, globs, expected):
    assert matches(text, globs) is expected


@pytest.mark.parametrize(
    ("glob", "fragment"),
    [
        ("", "empty"),
        ("!", "empty"),
        ("/docs", "begins with `/`"),
        ("a/../b", "`..`"),
        ("src/**.py", "`**` beside"),
        ("x" * 201, "more than 200"),
        ("a/" * 30, "20 names"),
        ("a\nb", "line break"),
    ],
)
def test_mistakes(glob, fragment):
    assert fragment in glob_mistake(glob)


@pytest.mark.parametrize("glob", ["main", "!main", "**", "docs/", "*", "a b", "release/*/x"])
def test_no_mistakes(glob):
    assert glob_mistake(glob) == ""


def test_no_pattern_occupies_the_processor():
    stars = "**/a/" * 9 + "b"
    assert not glob_mistake(stars)
    assert not matches("a/" * 2000 + "c", (stars, "*a" * 90 + "b"))
    assert not matches("a" * 4000 + "c", ("*a" * 90 + "b",))
