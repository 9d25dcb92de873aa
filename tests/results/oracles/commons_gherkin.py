"""`commons_gherkin.py FEATURE GIVEN`: what reana-commons says of each scenario, as JSON."""

import json
import sys

from reana_commons.gherkin_parser.data_fetcher import DataFetcherBase
from reana_commons.gherkin_parser.parser import parse_and_run_tests

with open(sys.argv[2]) as file:
    GIVEN = json.load(file)
FILES = {name: bytes(content) for name, content in GIVEN["files"].items()}
START = "2026-01-01T00:00:00"
ENDS = {"hello": "2026-01-01T00:00:12", "plot": "2026-01-01T00:00:00"}


def names():
    """Files and directories, as the server lists them."""
    places = {"/" + path for path in FILES}
    for path in FILES:
        parts = path.split("/")
        places |= {"/" + "/".join(parts[:count]) for count in range(1, len(parts))}
    return sorted(places)


class Fetcher(DataFetcherBase):
    """A finished run of one minute."""

    def list_files(self, workflow, file_name=None, page=None, size=None, search=None):
        found = [FILES[name] for name in FILES if name == file_name]
        return [{"size": {"raw": len(content), "human_readable": ""}} for content in found]

    def get_workflow_disk_usage(self, workflow, parameters):
        if parameters["summarize"]:
            return {"disk_usage_info": [{"size": {"raw": sum(map(len, FILES.values()))}}]}
        return {"disk_usage_info": [{"name": name} for name in names()]}

    def get_workflow_logs(self, workflow, steps=None, page=None, size=None):
        jobs = {
            name: {"logs": text, "started_at": START, "finished_at": ENDS[name]}
            for name, text in GIVEN["logs"].items()
            if not steps or name in steps
        }
        logs = {"job_logs": jobs, "workflow_logs": GIVEN["engine"], "engine_specific": None}
        return {"logs": json.dumps(logs)}

    def get_workflow_status(self, workflow):
        progress = {"run_started_at": START, "run_finished_at": "2026-01-01T00:01:00"}
        return {"status": "finished", "progress": progress}

    def get_workflow_specification(self, workflow):
        outputs = {"files": ["results/greetings.txt"], "directories": ["results"]}
        return {"specification": {"outputs": outputs}}

    def download_file(self, workflow, file_name):
        return FILES[file_name.lstrip("/")], file_name, False


_, RESULTS = parse_and_run_tests(sys.argv[1], "workflow", Fetcher())
print(json.dumps([result.result.name for result in RESULTS]))
