"""`mlflow_client.py URI`: writes runs by MLflow's client, and prints what the client reads back, as JSON."""

import json
import math
import os
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
import mlflow
from mlflow import MlflowClient

mlflow.set_tracking_uri(sys.argv[1])
EXPERIMENT = mlflow.set_experiment("fit all/really").experiment_id


def log(name, epochs):
    with mlflow.start_run(run_name=name):
        for step in range(epochs):
            mlflow.log_metric("val/loss", 1 / (step + 1), step=step)
        mlflow.log_metric("acc best", math.nan)
        mlflow.log_metric("again", 1.0, step=5, timestamp=1)
        mlflow.log_metric("again", 3.0, step=5, timestamp=1)
        mlflow.log_metric("again", 2.0, step=4, timestamp=9)
        mlflow.log_metric("below", -2.5e-7, step=-1)
        mlflow.log_param("lr/rate of it", 0.1)
        mlflow.set_tag("data", "small\nset")


log("train a", 5)
log("train b", 3)
with mlflow.start_run(run_name="gone") as run:
    mlflow.log_metric("z", 1)
CLIENT = MlflowClient()
CLIENT.delete_run(run.info.run_id)

FOUND = {}
for run in CLIENT.search_runs([EXPERIMENT]):
    for key, value in run.data.metrics.items():
        history = CLIENT.get_metric_history(run.info.run_id, key)
        points = sorted([point.step, point.timestamp, point.value] for point in history)
        FOUND[f"{run.info.run_name}.{key}"] = [str(value), [[step, str(value)] for step, _, value in points]]
print(json.dumps(FOUND))
