"""The server's settings: a TOML file, over it the environment, secrets also from files.

Every key can be overridden by `REANA_BRIDGE__SECTION__KEY`. What is wrong stops the start with the key,
what is wrong with it, and an example.
"""

import fnmatch
import os
import secrets
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as PydanticSettingsError

from reana_bridge.model.projects import Project
from reana_bridge.sections import (
    AccountSettings,
    BackendSettings,
    DatabaseSettings,
    EnvironmentSettings,
    ForgeSettings,
    LimitSettings,
    MlflowSettings,
    ProjectSettings,
    ServerSettings,
    StorageSettings,
)


class SettingsError(Exception):
    """The settings cannot be used; one line for each key, with an example."""


class Settings(BaseSettings):
    """All of it."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="REANA_BRIDGE__", env_nested_delimiter="__"
    )

    server: ServerSettings = Field(default_factory=lambda: ServerSettings.model_validate({}))
    database: DatabaseSettings = Field(default_factory=lambda: DatabaseSettings.model_validate({}))
    storage: StorageSettings = Field(default_factory=lambda: StorageSettings.model_validate({}))
    limits: LimitSettings = Field(default_factory=lambda: LimitSettings.model_validate({}))
    mlflow: MlflowSettings = Field(default_factory=lambda: MlflowSettings.model_validate({}))
    forges: dict[str, ForgeSettings] = Field(default_factory=dict[str, ForgeSettings])
    backends: dict[str, BackendSettings] = Field(
        default_factory=lambda: {"local": BackendSettings.model_validate({"kind": "local"})}
    )
    projects: tuple[ProjectSettings, ...] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over what `load` read from the file."""
        return env_settings, init_settings

    @model_validator(mode="before")
    @classmethod
    def _dashes(cls, data: dict[str, Any]) -> dict[str, Any]:
        """`FORGES__GITLAB_CERN` means the section `gitlab-cern`: shells know no dash in a variable."""
        for section in ("forges", "backends"):
            entries: dict[str, Any] = data.get(section) or {}
            for name in [name for name in entries if "_" in name]:
                entries[name.replace("_", "-")] = entries.get(name.replace("_", "-"), {}) | entries.pop(name)
        return data

    @model_validator(mode="after")
    def _names_exist(self) -> "Settings":
        for project in self.projects:
            for name in filter(None, (project.backend, *project.backends)):
                if name not in self.backends:
                    raise ValueError(f"{project.match!r} names the backend {name!r}, which is not among them")
            if not project.backend and len(self.backends) != 1:
                raise ValueError(f"{project.match!r} has to name one of the backends")
        for name in self.forges:
            Project.parse(f"{name}:x")
        return self

    def project(self, project: Project) -> ProjectSettings | None:
        """The first rule that fits the project; None when it is not registered."""
        if project.forge not in self.forges:
            return None
        fitting = (rule for rule in self.projects if fnmatch.fnmatchcase(str(project), rule.match))
        return next(fitting, None)

    def may_hold(self, project: Project, other: Project) -> bool:
        """Whether commits of `project` may hold the code of `other` although not everybody may read it."""
        rule = self.project(project)
        names = rule.submodules if rule and other.forge == project.forge else ()
        return any(fnmatch.fnmatchcase(str(other), name) for name in names)

    def backend_of(self, rule: ProjectSettings) -> str:
        """The default backend of projects under `rule`."""
        return rule.backend or next(iter(self.backends))


def load(path: Path | None = None) -> Settings:
    """The settings from a TOML file and the environment.

    Args:
        path: The file; None for `REANA_BRIDGE_CONFIG`, else `./reana-bridge.toml` if it is there.

    Raises:
        SettingsError: The file cannot be read, or a key is unknown or wrong.
    """
    named = os.environ.get("REANA_BRIDGE_CONFIG")
    given = path or (Path(named) if named else None)
    data = _read(given) if given else _read(Path("reana-bridge.toml"), optional=True)
    source = str(given or "reana-bridge.toml and environment")
    try:
        return Settings(**data)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(source, item) for item in error.errors())) from None
    except PydanticSettingsError as error:
        raise SettingsError(f"{source}: {error}; lists are written as JSON in the environment") from None


def _read(path: Path, *, optional: bool = False) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if optional:
            return {}
        raise SettingsError(f"{path}: there is no such file") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None


_EXAMPLES = {
    "forges": '[forges.local]\nkind = "git"\nroot = "/srv/git"',
    "backends": '[backends.local]\nkind = "local"',
    "projects": '[[projects]]\nmatch = "local:*"',
    "server": '[server]\npublic_url = "https://bridge.example.org"',
    "database": '[database]\nurl = "sqlite:///./var/bridge.db"',
    "storage": '[storage]\nartifacts = "var/artifacts"',
    "mlflow": '[mlflow]\nurl = "https://mlflow.example.org"\ntoken_file = "/run/secrets/mlflow-token"',
    "limits": '[limits]\nmemory = "4GiB"',
}


def _explain(source: str, item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"]) or "projects"
    message = str(item["msg"]).removeprefix("Value error, ")
    message = "is not a setting" if item["type"] == "extra_forbidden" else message
    example = _EXAMPLES.get(key.split(".")[0], _EXAMPLES["projects"]).replace("\n", "\n    ")
    return f"{source}: {key}: {message}\n  for example:\n    {example}"


def documented() -> dict[str, str]:
    """Every setting's dotted key and what it means, for the reference; `NAME` stands for a chosen name."""
    sections: dict[str, type[BaseModel]] = {
        "server": ServerSettings,
        "database": DatabaseSettings,
        "storage": StorageSettings,
        "limits": LimitSettings,
        "mlflow": MlflowSettings,
        "forges.NAME": ForgeSettings,
        "backends.NAME": BackendSettings,
        "backends.NAME.environments": EnvironmentSettings,
        "backends.NAME.accounts": AccountSettings,
        "projects": ProjectSettings,
    }
    return {
        f"{prefix}.{key}": field.description or ""
        for prefix, model in sections.items()
        for key, field in model.model_fields.items()
    }


def server_key(directory: Path) -> bytes:
    """The server's own 32 bytes, made at first use (0600), from which report links' keys are derived."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / "server.key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return bytes.fromhex(path.read_text(encoding="ascii").strip())
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    return server_key(directory)
