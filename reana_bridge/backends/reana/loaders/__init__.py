"""What runs inside the sandbox with an engine's own python; nothing here is imported by the bridge.

The directory is started as a program: `python -I loaders ORDER RESULT`, two descriptors. Each loader may only
import the standard library and its engine.
"""
