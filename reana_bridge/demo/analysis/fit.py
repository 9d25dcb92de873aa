"""Fit the mass spectrum: signal strength, limits, goodness of fit, yields."""

import json
from pathlib import Path

import numpy as np
from columns import BACKGROUND, DATA, SIGNAL, read
from likelihood import Model, Tests

EDGES = np.linspace(100.0, 160.0, 31)  # GeV
WINDOW = (121.0, 129.0)  # GeV, around the resonance
CENTRES = 0.5 * (EDGES[:-1] + EDGES[1:])
INSIDE = (WINDOW[0] < CENTRES) & (WINDOW[1] > CENTRES)


def histograms():
    """Counts or expectations in each bin: sample -> array."""
    selected = read("data/selected.npy")
    found = {}
    for sample in (DATA, SIGNAL, BACKGROUND):
        chosen = selected["sample"] == sample
        found[sample], _ = np.histogram(selected["mass"][chosen], EDGES, weights=selected["weight"][chosen])
    return found


def value(number, uncertainty=None, unit="", description=""):
    found = {"value": float(f"{number:.6g}")}
    if uncertainty is not None:
        found["uncertainty"] = float(f"{uncertainty:.3g}")
    return found | {"unit": unit, "description": description}


def efficiency(count, of):
    """A fraction in percent, with its binomial uncertainty."""
    fraction = count["after"] / count["before"]
    spread = np.sqrt(fraction * (1.0 - fraction) / count["before"])
    return value(100.0 * fraction, 100.0 * spread, "%", f"simulated {of} events that are kept")


def metrics(tests, background, background_error, counts):
    """Everything that is measured, by name."""
    mu, error = tests.best.values[0], np.sqrt(tests.best.covariance[0, 0])
    chi2, ndf, p_value = tests.goodness()
    expected = np.sum(tests.model.signal)
    observed = np.sum(tests.counts[INSIDE])
    inside = np.sum(background[INSIDE])
    spread = np.sqrt(INSIDE @ background_error @ INSIDE)
    return {
        "fit": {
            "mu": value(mu, error, "", "signal strength, 1 is what the theory says"),
            "mu_uncertainty": value(error, None, "", "how well the signal strength is known"),
            "significance": value(tests.significance(), None, "sigma", "distance from having no signal"),
            "chi2_ndf": value(chi2 / ndf, None, "", "saturated likelihood ratio by degrees of freedom"),
            "p_value": value(p_value, None, "", "goodness of fit"),
        },
        "limit": {
            "cls": value(tests.cls(1.0), None, "", "CLs of the signal strength 1"),
            "observed": value(tests.limit(), None, "", "upper limit on the signal strength, 95 % CL"),
            "expected": value(tests.expected_limit(), None, "", "median limit if there were no signal"),
        },
        "selection": {
            "signal_efficiency": efficiency(counts["signal"], "signal"),
            "background_efficiency": efficiency(counts["background"], "background"),
        },
        "yields": {
            "observed": value(observed, np.sqrt(observed), "events", "data in 121-129 GeV"),
            "background": value(inside, spread, "events", "fitted background in 121-129 GeV"),
            "signal": value(mu * expected, error * expected, "events", "fitted signal"),
        },
    }


def main():
    found = histograms()
    model = Model(x=(CENTRES - 130.0) / 30.0, signal=found[SIGNAL])
    tests = Tests(model, found[DATA])
    signal, background = model.parts(tests.best.values)
    slopes = np.array([background, background * model.x])
    background_error = slopes.T @ tests.best.covariance[1:3, 1:3] @ slopes
    selection = json.loads(Path("data/selection.json").read_text())
    results = metrics(tests, background, background_error, selection["counts"])
    bins = {
        "edges": EDGES,
        "data": found[DATA],
        "background": background,
        "background_uncertainty": np.sqrt(np.diag(background_error)),
        "signal": signal,
    }
    Path("results").mkdir(exist_ok=True)
    Path("results/metrics.json").write_text(json.dumps(results, indent=2) + "\n")
    Path("data/fit.json").write_text(json.dumps({name: array.tolist() for name, array in bins.items()}))
    for name, metric in results["fit"].items():
        print(
            f"{name} = {metric['value']:.4g}"
            + (f" +- {metric['uncertainty']:.2g}" if "uncertainty" in metric else "")
        )
    print(f"mu < {results['limit']['observed']['value']:.3g} at 95 % CL")


if __name__ == "__main__":
    main()
