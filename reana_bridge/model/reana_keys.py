"""The keys and words that REANA's `reana.yaml` has (REANA 0.95)."""

from reana_bridge.model.specification import WorkflowType

TOP = ("version", "inputs", "workflow", "outputs", "tests", "workspace")

SECTIONS: dict[tuple[str, ...], tuple[str, ...]] = {
    (): TOP,
    ("inputs",): ("files", "directories", "parameters", "options"),
    ("workflow",): ("type", "file", "specification", "resources", "files", "directories", "parameters"),
    ("workflow", "resources"): ("cvmfs", "kerberos", "voms_proxy", "rucio", "dask"),
    ("workflow", "resources", "dask"): (
        "image",
        "number_of_workers",
        "single_worker_memory",
        "single_worker_threads",
    ),
    ("outputs",): ("files", "directories"),
    ("tests",): ("files",),
    ("workspace",): ("root_path", "retention_days"),
}

STEP = (
    "name",
    "commands",
    "environment",
    "compute_backend",
    "kubernetes_uid",
    "kubernetes_cpu_request",
    "kubernetes_cpu_limit",
    "kubernetes_memory_request",
    "kubernetes_memory_limit",
    "kubernetes_job_timeout",
    "htcondor_max_runtime",
    "htcondor_accounting_group",
    "htcondor_request_cpus",
    "htcondor_request_memory",
    "htcondor_request_disk",
    "htcondor_requirements",
    "slurm_partition",
    "slurm_time",
    "c4p_cpu_cores",
    "c4p_memory_limit",
    "c4p_additional_requirements",
    "kerberos",
    "voms_proxy",
    "rucio",
    "unpacked_img",
)

COMPUTE_BACKENDS = ("kubernetes", "htcondorcern", "slurmcern", "compute4punch")

OPTIONS: dict[WorkflowType, tuple[str, ...]] = {
    WorkflowType.SERIAL: ("CACHE", "FROM", "TARGET"),
    WorkflowType.CWL: ("TARGET",),
    WorkflowType.SNAKEMAKE: ("report",),
    WorkflowType.YADAGE: ("toplevel", "initdir", "initfiles", "accept_metadir"),
}

EXAMPLE_FILES = {
    WorkflowType.SNAKEMAKE: "Snakefile",
    WorkflowType.CWL: "workflow/main.cwl",
    WorkflowType.YADAGE: "workflow/main.yaml",
}
