"""`train.py RATE SEED`: a small training that leaves an MLflow file store as the client lays it out."""

import random
import sys
import time
import uuid
from pathlib import Path

EPOCHS = 12


def losses(rate, draw):
    """The loss of each epoch: it falls, with the noise of the batches."""
    return [2.0 * (1 - rate) ** epoch + 0.3 + draw.gauss(0, 0.01) for epoch in range(1, EPOCHS + 1)]


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def log(store, metrics, params):
    """One finished run, each metric with the values of its epochs."""
    identity, now = uuid.uuid4().hex, int(time.time() * 1000)
    run = store / "0" / identity
    put(
        store / "0" / "meta.yaml",
        "experiment_id: '0'\nname: Default\nlifecycle_stage: active\nartifact_location: mlruns/0\n",
    )
    put(
        run / "meta.yaml",
        f"run_id: {identity}\nrun_uuid: {identity}\nrun_name: training\nexperiment_id: '0'\n"
        f"lifecycle_stage: active\nstatus: 3\nstart_time: {now}\nend_time: {now}\nuser_id: tester\n",
    )
    for name, values in metrics.items():
        lines = [f"{now} {value!r} {step}\n" for step, value in enumerate(values)]
        put(run / "metrics" / name, "".join(lines))
    for name, value in params.items():
        put(run / "params" / name, str(value))


rate, seed = float(sys.argv[1]), sys.argv[2]
found = losses(rate, random.Random(seed))
accuracy = [1 - loss / 3 for loss in found]
log(Path("mlruns"), {"val/loss": found, "accuracy": accuracy}, {"learning rate": rate})
