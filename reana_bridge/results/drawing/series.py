"""Draws a series of values, such as a loss over epochs, of baseline and head over another."""

from pathlib import Path
from typing import Any

from reana_bridge.model.comparisons import Picture
from reana_bridge.model.metrics import Point
from reana_bridge.results.drawing.canvas import BASELINE, HEAD, keep_figure, new_figure, style, wrapped
from reana_bridge.results.readers.clean import one_line
