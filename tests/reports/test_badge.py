import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.reports.badge import badge, text_width
from reana_bridge.reports.rows import Tone

SVG = "{http://www.w3.org/2000/svg}"


@given(st.text(), st.text(), st.sampled_from(Tone))
def test_any_text_makes_a_well_formed_badge(label, value, tone):
    root = ElementTree.fromstring(badge(label, value, tone))
    assert root.tag == f"{SVG}svg"
    assert {child.tag.removeprefix(SVG) for child in root.iter()} <= {
        "svg",
        "title",
        "clipPath",
        "rect",
        "g",
        "text",
    }
    assert int(root.attrib["width"]) < 1500


def test_it_says_both_words_to_everybody():
    root = ElementTree.fromstring(badge("reana/fit", "1 of 14 worse", Tone.BAD))
    assert root.find(f"{SVG}title").text == root.attrib["aria-label"] == "reana/fit: 1 of 14 worse"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["reana/fit", "1 of 14 worse"]


@pytest.mark.parametrize(("narrow", "wide"), [("iii", "mmm"), ("", "a"), ("a", "ab"), ("lll", "000")])
def test_width_follows_the_letters(narrow, wide):
    assert text_width(narrow) < text_width(wide)


def test_nothing_is_loaded_from_elsewhere():
    assert "href" not in badge("a", "b")
    assert badge("a", "b").count("http") == 1
