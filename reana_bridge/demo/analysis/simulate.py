"""Simulate a narrow resonance on a falling background: pseudo-data, and the samples that describe it.

Every event has a mass, the output of a classifier (`score`) and a number of tracks.
"""

import argparse

import numpy as np
from columns import BACKGROUND, DATA, SIGNAL, write

LOW, HIGH = 100.0, 160.0  # GeV
MASS, WIDTH = 125.0, 1.8  # GeV
SLOPE = 28.0  # GeV
EXPECTED = {SIGNAL: 110.0, BACKGROUND: 9000.0}  # events in the data, before any selection


def masses(rng, kind, size):
    if kind == SIGNAL:
        return rng.normal(MASS, WIDTH, size)
    span = 1.0 - np.exp(-(HIGH - LOW) / SLOPE)
    return LOW - SLOPE * np.log1p(-span * rng.random(size))


def simulate(rng, kind, size):
    signal = kind == SIGNAL
    return {
        "mass": masses(rng, kind, size),
        "score": rng.beta(3.0, 2.0, size) if signal else rng.beta(2.0, 3.0, size),
        "tracks": rng.poisson(9.0 if signal else 12.5, size),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, required=True, help="simulated events of each sample")
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    # The data have a generator of their own, so they stay the same however much is simulated.
    for_data, for_samples = (
        np.random.default_rng(seed) for seed in np.random.SeedSequence(arguments.seed).spawn(2)
    )
    parts = []
    for kind, expected in EXPECTED.items():
        part = simulate(for_data, kind, for_data.poisson(expected))
        parts.append((part, DATA, 1.0))
    for kind, expected in EXPECTED.items():
        part = simulate(for_samples, kind, arguments.events)
        parts.append((part, kind, expected / arguments.events))
    sizes = [len(part["score"]) for part, _, _ in parts]
    events = {name: np.concatenate([part[name] for part, _, _ in parts]) for name in parts[0][0]}
    events["sample"] = np.repeat(np.array([kind for _, kind, _ in parts], dtype=np.int8), sizes)
    events["weight"] = np.repeat([weight for _, _, weight in parts], sizes)
    write("data/events.npy", events)
    print(f"{sizes[0] + sizes[1]} events of data, {arguments.events} of each simulated sample")


if __name__ == "__main__":
    main()
