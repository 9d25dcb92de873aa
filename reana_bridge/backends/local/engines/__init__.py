"""What runs inside the sandbox with an engine's own python; nothing here is imported by the bridge.

The directory is started as a program: `python -I engines ORDER EVENTS`, two descriptors. Each driver may
only import the standard library, its neighbours and its engine.
"""
