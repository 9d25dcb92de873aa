"""Where code lives and where reports are shown: one Protocol, one module and one entry point a forge."""
