"""A badge: a label and a value in one small SVG, made here, without fonts or pictures from elsewhere."""

from html import escape as escape_xml

from reana_bridge.reports.escape import clean
from reana_bridge.reports.rows import Tone
from reana_bridge.reports.words import shorten

_HEIGHT, _PADDING, _SIZE = 20, 6, 11
_LONGEST = 60
_COLOURS = {
    Tone.GOOD: "#2a7d3f",
    Tone.BAD: "#b3261e",
    Tone.WARN: "#8a5a00",
    Tone.NEUTRAL: "#1f5fa8",
    Tone.MUTED: "#5f6368",
}
# Widths of Verdana at 11 pixels, in tenths of a pixel, by groups of characters that share one.
_WIDTHS = {
    character: width
    for characters, width in (
        ("ijl'|!.,:;", 40),
        ("I()[]{}`/\\ ftr-", 48),
        ('sczJ"*', 58),
        ("abdeghknopquvxy?_$0123456789", 69),
        ("ABCEFKLPRSTUVXYZ", 74),
        ("DGHNOQ&", 84),
        ("mMwW%@", 108),
        ("+<>=~^#\N{PLUS-MINUS SIGN}", 90),
    )
    for character in characters
}
_OTHER = 80


def badge(label: str, value: str, tone: Tone = Tone.NEUTRAL) -> str:
    """An SVG that says `label` on the left and `value`, coloured by `tone`, on the right."""
    left, right = (shorten(clean(text), _LONGEST) for text in (label, value))
    left_width, right_width = text_width(left) + 2 * _PADDING, text_width(right) + 2 * _PADDING
    width = left_width + right_width
    title = escape_xml(f"{left}: {right}")
    texts = "".join(
        f'<text x="{x}" y="14" textLength="{length}">{escape_xml(text)}</text>'
        for text, x, length in (
            (left, _PADDING, left_width - 2 * _PADDING),
            (right, left_width + _PADDING, right_width - 2 * _PADDING),
        )
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT}" role="img" '
        f'aria-label="{title}"><title>{title}</title>'
        f'<clipPath id="r"><rect width="{width}" height="{_HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{width}" height="{_HEIGHT}" fill="#3c4043"/>'
        f'<rect x="{left_width}" width="{right_width}" height="{_HEIGHT}" fill="{_COLOURS[tone]}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="{_SIZE}">{texts}</g></svg>\n'
    )


def text_width(text: str) -> int:
    """About how many pixels `text` takes in Verdana at 11 pixels."""
    return (sum(_WIDTHS.get(character, _OTHER) for character in text) + 9) // 10
