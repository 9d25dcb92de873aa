"""`dvclive_writer.py FOLDER`: writes a short training by DVCLive."""

import sys

from dvclive import Live

with Live(sys.argv[1], save_dvc_exp=False) as live:
    for step in range(4):
        live.log_metric("loss", 1 / (step + 1))
        live.log_metric("val/acc top", step / 4)
        live.next_step()
    live.summary["final"] = 3
