"""From a report's values to what people see: Markdown, terminal, status line, badge.

`view.py` says everything once, as ready-made words; the renderers only lay it out, so they never disagree.
"""
