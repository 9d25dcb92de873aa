"""The sections of the settings, each key with its default and what it means."""

import os
import re
import socket
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
_TIMES = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _bytes(value: Any) -> Any:
    match = re.fullmatch(r"(\d+)\s*([kmgt]i?)?b?", str(value).strip().lower())
    if not match:
        raise ValueError("is not a size; write bytes or a number with a unit, such as 512MiB or 20GB")
    return int(match[1]) * _UNITS[match[2] or ""]


def _seconds(value: Any) -> Any:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])?", str(value).strip().lower())
    if not match:
        raise ValueError("is not a time; write seconds or a number with a unit, such as 90s, 30m or 12h")
    return float(match[1]) * _TIMES[match[2] or ""]


Bytes = Annotated[int, BeforeValidator(_bytes)]
Seconds = Annotated[float, BeforeValidator(_seconds)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _from_file(data: dict[str, Any], key: str) -> dict[str, Any]:
    """Put the content of the file that `KEY_file` names into `KEY`."""
    path = data.get(f"{key}_file")
    if not path:
        return data
    try:
        content = Path(str(path)).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{key}_file {path} cannot be read: {error}") from None
    return {**data, key: content.split() if key == "webhook_secrets" else content}


class ServerSettings(_Section):
    """Where the bridge listens and what it takes."""

    public_url: str = Field(
        "http://127.0.0.1:8800", description="How people and forges reach the bridge; empty for no links."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8800, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    name: str = Field(
        default_factory=socket.gethostname,
        description="This host's name among replicas; local runs belong to the host that started them.",
    )
    inbox_limit: int = Field(10_000, ge=1, description="Deliveries that may wait for the disk before 503.")
    body_limit: Bytes = Field(26 * 2**20, description="Largest delivery body (forges send up to 25 MB).")
    body_seconds: Seconds = Field(15.0, description="How long a sender may take for a body.")
    drain_seconds: Seconds = Field(20.0, description="How long a graceful stop waits for steps at work.")
    workers: int = Field(4, ge=1, le=64, description="Rows that each step works on at once.")
    log_format: Literal["json", "text", "auto"] = Field(
        "auto", description="Log lines as JSON or as text; auto is text on a terminal."
    )
    shadow: bool = Field(
        False, description="Rehearsal: everything runs, nothing is written to a forge, only shown here."
    )
    metrics_public: bool = Field(False, description="Whether /metrics is served without a token.")


class DatabaseSettings(_Section):
    """The one database."""

    url: str = Field("sqlite:///./var/bridge.db", description="`sqlite:///PATH` or `postgresql://...`.")
    url_file: Path | None = Field(None, description="File that holds the URL, for a URL with a password.")

    @model_validator(mode="before")
    @classmethod
    def _files(cls, data: dict[str, Any]) -> dict[str, Any]:
        return _from_file(data, "url")


class StorageSettings(_Section):
    """Where files are kept, and for how long."""

    artifacts: Path = Field(Path("var/artifacts"), description="Kept files; shared by all replicas.")
    runs: Path = Field(Path("var/runs"), description="Workspaces of local runs; of this host alone.")
    repositories: Path = Field(Path("var/repositories"), description="Fetched commits; of this host alone.")
    environments: Path = Field(Path("var/environments"), description="Software environments of local runs.")
    secrets: Path = Field(Path("var/secrets"), description="The operator's token and the server's own key.")
    body_days: float = Field(30, ge=0, description="Days after which delivery bodies are dropped.")
    workspace_days: float = Field(7, ge=0, description="Days after which an ended run's workspace goes.")
    workspace_budget: Bytes = Field(
        50 * 2**30, description="Disk for ended runs' workspaces; the oldest go first."
    )
    artifact_days: float = Field(
        0, ge=0, description="Days after which runs off the default branch lose their artifacts; 0 for never."
    )
    minimum_free: Bytes = Field(512 * 2**20, description="Free disk below which no run is started.")


class LimitSettings(_Section):
    """What one run may use and leave."""

    seconds: Seconds = Field(6 * 3600.0, description="Wall time of a run, also where it asks for more.")
    cpus: int | None = Field(None, ge=1, description="Processor cores of a local run; none for all.")
    memory: Bytes = Field(4 * 2**30, description="Memory of a local run's processes together.")
    disk: Bytes = Field(10 * 2**30, description="Size of a local run's workspace.")
    processes: int = Field(1024, ge=1, description="Processes and threads of a local run at once.")
    log: Bytes = Field(4 * 2**20, description="Kept of each step's log (its beginning and its end).")
    artifact: Bytes = Field(2**30, description="Largest single artifact.")
    artifacts: Bytes = Field(5 * 2**30, description="All artifacts of a run together.")
    artifact_count: int = Field(10_000, ge=1, description="Artifacts of a run.")
    metrics: int = Field(10_000, ge=1, description="Metrics of a run.")
    metrics_file: Bytes = Field(16 * 2**20, description="Largest metrics file.")
    compared_files: int = Field(
        200, ge=0, description="Artifacts of a run that are looked into where their content differs."
    )
    compared_file: Bytes = Field(512 * 2**20, description="Largest artifact that is looked into.")
    compared_seconds: Seconds = Field(
        600.0, description="How long all artifacts of a run together may take to be compared."
    )
    pair_seconds: Seconds = Field(
        10.0, description="The same for any two runs, whose comparison is made when its page is opened."
    )
    compared_pictures: int = Field(
        200, ge=0, description="Pictures of what differs that are kept of a run's artifacts."
    )
    isolated_memory: Bytes = Field(
        2**30, ge=2**28, description="Memory of the process in which files of a run are opened."
    )
    isolated_seconds: int = Field(60, ge=1, description="Processor time for one file or pair of files there.")
    isolated_output: Bytes = Field(64 * 2**20, description="Largest answer or picture from there.")
    uploads: int = Field(20, ge=0, description="Pictures that a note copies to its forge.")
    upload: Bytes = Field(5 * 10**6, description="Largest picture that is copied to a forge.")
    own_text: Bytes = Field(64 * 2**10, description="Bytes that are read of a run's own `report.md`.")
    download: Bytes = Field(4 * 2**30, description="Bytes of a run's files that are sent as one archive.")
    preview: Bytes = Field(256 * 2**10, description="Bytes of a text or table that a page shows of a file.")
    preview_seconds: int = Field(
        10, ge=1, description="Processor time for drawing a PDF or ROOT file that stands alone."
    )
    priority: int = Field(10, ge=0, description="Highest priority that a repository may ask for.")
    attempts: int = Field(3, ge=1, description="Attempts of a run that infrastructure failed.")
    queued_seconds: Seconds = Field(7 * 86400.0, description="Deadline of a run that nothing could start.")
    history_runs: int = Field(
        200,
        ge=8,
        description="Most runs on the default branch whose spread is looked at, whatever a rule asks for.",
    )
    waiting_seconds: Seconds = Field(
        6 * 3600.0, description="How long a report waits for a baseline that still runs."
    )


class MlflowSettings(_Section):
    """An MLflow tracking server that analyses log to: `[mlflow]`."""

    url: str = Field(
        "", description="Its address, such as `https://mlflow.example.org`; empty: no server is asked."
    )
    token: SecretStr | None = Field(None, description="Token that it wants.")
    token_file: Path | None = Field(None, description="File that holds the token.")
    ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's.")
    timeout: Seconds = Field(20.0, ge=1, description="How long it may take for an answer.")

    @model_validator(mode="before")
    @classmethod
    def _files(cls, data: dict[str, Any]) -> dict[str, Any]:
        return _from_file(data, "token")


class ForgeSettings(_Section):
    """A forge: `[forges.NAME]`."""

    kind: str = Field(description="`gitlab`, `github` or `git`; more by plug-ins.")
    url: str = Field(
        "", description="The forge's address, such as `https://gitlab.cern.ch` or `https://github.com`."
    )
    api_url: str = Field("", description="kind github: the API's address; empty for the usual one.")
    ca_file: Path | None = Field(None, description="Certificates to trust instead of the system's.")
    timeout: Seconds = Field(20.0, ge=1, description="How long the forge may take for an answer.")
    settle_seconds: Seconds = Field(
        60.0,
        ge=1,
        description="When the forge has surely done what it was sent, or never will: a write without an "
        "answer is looked for then, and only then repeated. Longer than the forge's own time limit.",
    )
    app_id: str = Field("", description="kind github: the App's id or client id, instead of a token.")
    app_key: SecretStr | None = Field(None, description="kind github: the App's private key (PEM).")
    app_key_file: Path | None = Field(None, description="File that holds the App's private key.")
    root: Path | None = Field(None, description="kind git: the directory that holds the repositories.")
    token: SecretStr | None = Field(None, description="Token for the forge's API.")
    token_file: Path | None = Field(None, description="File that holds the token.")
    webhook_secrets: tuple[SecretStr, ...] = Field(
        (), description="Secrets that hooks sign with; several while one is rotated. None: hooks are refused."
    )
    webhook_secrets_file: Path | None = Field(None, description="File with one secret a line.")
    poll_seconds: Seconds = Field(60.0, description="How often heads are compared for missed deliveries.")
    submodule_hosts: tuple[str, ...] = Field(
        (), description="Other hosts that submodules and LFS files may come from, over https."
    )

    @model_validator(mode="before")
    @classmethod
    def _files(cls, data: dict[str, Any]) -> dict[str, Any]:
        return _from_file(_from_file(_from_file(data, "token"), "app_key"), "webhook_secrets")


class EnvironmentSettings(_Section):
    """What stands in for a container image: `[[backends.NAME.environments]]`."""

    image: str = Field(description="Glob over image names; `*` for every image.")
    name: str = Field("", description="Shown in reports; empty for the image's name.")
    path: Path | None = Field(None, description="An existing environment's prefix, such as a virtualenv.")
    packages: tuple[str, ...] = Field((), description="Python packages to make one from, on first use.")
    requirements: Path | None = Field(None, description="A requirements file to make one from.")


class AccountSettings(_Section):
    """A REANA account of some projects: `[[backends.NAME.accounts]]`."""

    name: str = Field(
        pattern="^[a-z0-9][a-z0-9-]{0,39}$", description="Stands in the identities of its runs; keep it."
    )
    match: str = Field(description="Glob over project names; the first account whose `match` fits is used.")
    token: SecretStr | None = Field(None, description="The account's token.")
    token_file: Path | None = Field(None, description="File that holds it; read again when it is refused.")
    concurrency: int | None = Field(
        None, ge=1, description="Its runs at once; none for the backend's account_concurrency."
    )

    @model_validator(mode="before")
    @classmethod
    def _files(cls, data: dict[str, Any]) -> dict[str, Any]:
        return _from_file(data, "token")


class BackendSettings(_Section):
    """A backend: `[backends.NAME]`."""

    kind: str = Field(description="`local` or `reana`; more by plug-ins.")
    url: str = Field("", description="kind reana: its address, such as `https://reana.cern.ch`.")
    token: SecretStr | None = Field(None, description="Token for the backend's API.")
    token_file: Path | None = Field(None, description="File that holds the token.")
    concurrency: int = Field(
        default_factory=lambda: max(1, os.cpu_count() or 1),
        ge=1,
        description="Runs at once (local: a host); kind reana: 30 unless given.",
    )
    account_concurrency: int | None = Field(
        None,
        ge=1,
        description="kind reana: runs at once of each account; none for the backend's limit alone.",
    )
    untrusted_concurrency: int | None = Field(
        None, ge=1, description="kind reana: runs of code from forks at once; none for account_concurrency."
    )
    sandbox: Literal["required", "preferred", "off"] = Field(
        "required", description="kind local: whether code runs only in a bubblewrap sandbox."
    )
    network: bool = Field(False, description="kind local: whether jobs may ever reach the network.")
    host_network: bool = Field(
        False, description="kind local: share the host's network, its loopback too, with jobs that have one."
    )
    environments: tuple[EnvironmentSettings, ...] = Field(
        (), description="kind local: what stands in for which container image; the first match wins."
    )
    tether: bool = Field(
        False, description="kind local: whether runs end when the bridge ends (for tools in the foreground)."
    )
    search_path: tuple[Path, ...] = Field(
        (), description="kind local: directories of programs for steps without such an environment."
    )
    accounts: tuple[AccountSettings, ...] = Field(
        (), description="kind reana: accounts of single projects; `token` is for all others."
    )
    untrusted_token: SecretStr | None = Field(
        None, description="kind reana: token of an account without secrets, for code from forks."
    )
    untrusted_token_file: Path | None = Field(None, description="File that holds that token.")
    ca_file: Path | None = Field(None, description="kind reana: certificates to trust.")
    timeout: Seconds = Field(30.0, ge=1, description="kind reana: how long it may take for an answer.")
    requests_per_second: float = Field(
        16.0, gt=0, description="kind reana: requests of all processes together (REANA allows 20)."
    )
    uploads: int = Field(4, ge=1, le=32, description="kind reana: input files that are sent at once.")
    poll_fastest: Seconds = Field(2.0, gt=0, description="kind reana: least time between two looks at runs.")
    poll_slowest: Seconds = Field(30.0, gt=0, description="kind reana: most time between two looks at runs.")
    queued_seconds: Seconds = Field(
        86400.0, gt=0, description="kind reana: longest stay in REANA's own queue."
    )
    pending_seconds: Seconds = Field(
        3600.0, gt=0, description="kind reana: longest time until a run that REANA is starting runs."
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        description="kind reana: how long it keeps files, unless `reana.yaml` says.",
    )

    @model_validator(mode="before")
    @classmethod
    def _files(cls, data: dict[str, Any]) -> dict[str, Any]:
        if data.get("kind") == "reana":
            data = {"concurrency": 30, **data}
        return _from_file(_from_file(data, "token"), "untrusted_token")


class ProjectSettings(_Section):
    """What projects may: `[[projects]]`; the first whose `match` fits wins."""

    match: str = Field(description="Glob over project names, such as `gitlab-cern:atlas/*`.")
    backend: str = Field("", description="Default backend; empty for the only one.")
    backends: tuple[str, ...] = Field((), description="Other backends that the repository may choose.")
    public: bool = Field(False, description="Whether pages and API need no token.")
    network: bool = Field(
        False, description="Whether its jobs reach the network, unless its own file says no."
    )
    concurrency: int | None = Field(None, ge=1, description="Runs at once; none for the backend's own limit.")
    seconds: Seconds | None = Field(None, description="Wall time of a run; none for limits.seconds.")
    priority: int = Field(0, description="Added to the priority of its runs.")
    file: str = Field(".reana-bridge.yaml", description="Name of the in-repository file.")
    forks: Literal["approve", "members", "never"] = Field(
        "approve",
        description="Code from forks runs after an approval, at once when a member pushed it, or never.",
    )
    note: Literal["always", "on-change", "on-failure", "never"] = Field(
        "always", description="When the merge request gets a note, unless its own file says otherwise."
    )
    uploads: Literal["public", "always", "never"] = Field(
        "public",
        description="Whether plots are copied to the forge, where who has the URL sees them: those of "
        "projects that are public there, all, or none (then they are linked from here).",
    )
    submodules: tuple[str, ...] = Field(
        (),
        description="Globs over the names of other projects on the same forge, such as "
        "`gitlab-cern:atlas/common-*`, whose code its commits may hold as submodules although not everybody "
        "may read it; it is read with the bridge's token.",
    )
    accept_by: Literal["maintain", "write"] = Field(
        "maintain",
        description="Who may accept a difference in a merge request: who may merge into protected branches "
        "(GitLab Maintainer, GitHub maintain or admin), or everybody who may push.",
    )
    accept_own: bool = Field(
        False, description="Whether the author of a merge request may accept its differences alone."
    )
    commands_per_hour: int = Field(
        60, ge=0, description="Commands in comments that one person may give in an hour; 0 for none."
    )
