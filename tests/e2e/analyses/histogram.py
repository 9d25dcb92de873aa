"""`histogram.py SHIFT`: fills a mass spectrum and leaves it in a ROOT file, with one that never moves."""

import sys
from pathlib import Path

import hist
import numpy as np
import uproot

draw = np.random.default_rng(7)
mass = np.concatenate([draw.exponential(30, 4000), draw.normal(90 + float(sys.argv[1]), 4, 1000)])
spectrum = hist.Hist.new.Reg(40, 0, 160, name="mass", label="mass [GeV]").Weight().fill(mass)
tracks = hist.Hist.new.Reg(20, 0, 20, name="tracks").Weight().fill(draw.poisson(9, 2000))
Path("results").mkdir(exist_ok=True)
with uproot.recreate("results/histograms.root") as file:
    file["selected/mass"] = spectrum
    file["control/tracks"] = tracks
