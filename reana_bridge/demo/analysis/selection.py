"""Keep the events that look like signal, and count what is left of each sample."""

import argparse
import json
from pathlib import Path

import numpy as np
from columns import BACKGROUND, DATA, SIGNAL, read, write

NAMES = {DATA: "data", SIGNAL: "signal", BACKGROUND: "background"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--score-min", type=float, required=True, help="lowest score that is kept")
    parser.add_argument("--tracks-max", type=int, required=True, help="largest number of tracks that is kept")
    cuts = parser.parse_args()
    events = read("data/events.npy")
    keep = (events["score"] > cuts.score_min) & (events["tracks"] <= cuts.tracks_max)
    write("data/selected.npy", {name: events[name][keep] for name in ("mass", "sample", "weight")})
    counts = {
        name: {"before": int(np.sum(sample)), "after": int(np.sum(sample & keep))}
        for kind, name in NAMES.items()
        for sample in [events["sample"] == kind]
    }
    summary = {"score_min": cuts.score_min, "tracks_max": cuts.tracks_max, "counts": counts}
    Path("data/selection.json").write_text(json.dumps(summary, indent=2) + "\n")
    for name, count in counts.items():
        print(f"{name}: {count['after']} of {count['before']} events are kept")


if __name__ == "__main__":
    main()
