"""Greets everybody in a list."""

import argparse
import os

parser = argparse.ArgumentParser()
parser.add_argument("--names", required=True)
parser.add_argument("--greetings", required=True)
arguments = parser.parse_args()
os.makedirs(os.path.dirname(arguments.greetings) or ".", exist_ok=True)
with open(arguments.names) as names, open(arguments.greetings, "w") as greetings:
    for name in names:
        greetings.write(f"Hello {name.strip()}!\n")
print("greeted")
