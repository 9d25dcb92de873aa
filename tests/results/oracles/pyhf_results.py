"""`pyhf_results.py WORKSPACE`: writes a workspace, and prints yields and limit by pyhf itself, as JSON."""

import json
import sys

import pyhf

MODEL = pyhf.simplemodels.uncorrelated_background([5.0, 6.0], [50.0, 60.0], [5.0, 12.0])
WORKSPACE = pyhf.Workspace.build(MODEL, [53.0, 65.0])
with open(sys.argv[1], "w") as file:
    json.dump(WORKSPACE, file)
MODEL, DATA = WORKSPACE.model(), WORKSPACE.data(WORKSPACE.model())
OBSERVED, EXPECTED = pyhf.infer.hypotest(1.0, DATA, MODEL, return_expected_set=True)
YIELDS = {sample["name"]: sum(sample["data"]) for sample in WORKSPACE["channels"][0]["samples"]}
FITTED = [float(value) for value in pyhf.infer.mle.fit(DATA, MODEL)]
print(
    json.dumps(
        {"CLs": float(OBSERVED), "band": [float(v) for v in EXPECTED], "yields": YIELDS, "fit": FITTED}
    )
)
