"""What lies in deploy/ fits the program, and each part fits the others."""

import configparser
import os
import re
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from reana_bridge.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def run(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=60, check=False, **more
    )


def settings_of(path: Path, tmp_path: Path) -> Settings:
    """The settings in a file, with readable files put in place of the secrets that it names."""
    text = path.read_text(encoding="utf-8")
    for number, (key, value) in enumerate(re.findall(r'^(\w+_file) = "(.+)"', text, re.M)):
        secret = tmp_path / str(number)
        secret.write_text(
            "postgresql://bridge:x@database/bridge\n" if key == "url_file" else "first\nsecond\n"
        )
        text = text.replace(value, str(secret))
    return Settings(**tomllib.loads(text))


@pytest.mark.parametrize("name", ["reana-bridge.toml", "compose.toml"])
def test_examples_of_settings_load(name: str, tmp_path: Path) -> None:
    settings = settings_of(DEPLOY / name, tmp_path)
    assert [secret.get_secret_value() for secret in settings.forges["git"].webhook_secrets] == [
        "first",
        "second",
    ]
    assert settings.backends["local"].sandbox == "required"
    assert not settings.backends["local"].network
    assert not any(project.public for project in settings.projects)


def unit() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((DEPLOY / "reana-bridge.service").read_text(encoding="utf-8"))
    return parser


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("KillMode", "process"),
        ("StateDirectory", "reana-bridge"),
        ("StateDirectoryMode", "0700"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("CapabilityBoundingSet", ""),
        ("Restart", "on-failure"),
    ],
)
def test_the_unit_says(key: str, value: str) -> None:
    assert unit()["Service"][key] == value


@pytest.mark.parametrize(
    "key",
    [
        *("RestrictNamespaces", "ProtectHostname", "ProtectKernelTunables", "ProtectKernelLogs"),
        *("ProtectProc", "ProcSubset", "PrivateDevices", "PrivateUsers", "MemoryDenyWriteExecute"),
    ],
)
def test_the_unit_leaves_out_what_would_break_the_sandbox(key: str) -> None:
    assert key not in unit()["Service"]


def test_the_unit_gives_more_time_to_stop_than_the_program_takes() -> None:
    assert float(unit()["Service"]["TimeoutStopSec"]) > 2 * Settings().server.drain_seconds


def test_unit_and_settings_agree_on_the_credentials() -> None:
    credential = unit()["Service"]["LoadCredential"].partition(":")[0]
    settings = tomllib.loads((DEPLOY / "reana-bridge.toml").read_text(encoding="utf-8"))
    expected = f"/run/credentials/reana-bridge.service/{credential}"
    assert settings["forges"]["git"]["webhook_secrets_file"] == expected


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="install systemd (systemd-analyze)")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "reana-bridge.service").read_text(encoding="utf-8")
    program = tmp_path / "reana-bridge"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "reana-bridge.service").write_text(
        text.replace("/opt/reana-bridge/bin/reana-bridge", str(program))
    )
    done = run(
        "systemd-analyze", "verify", "--man=no", "--recursive-errors=no", tmp_path / "reana-bridge.service"
    )
    complaints = [line for line in done.stderr.splitlines() if "reana-bridge.service:" in line]
    assert not complaints


def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def bridges() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = compose()["services"]
    return {name: service for name, service in services.items() if service.get("image") == "reana-bridge"}


def test_compose_has_a_web_a_worker_a_database_and_a_proxy() -> None:
    assert set(compose()["services"]) == {"proxy", "web", "worker", "database"}
    assert {service["command"][-1] for service in bridges().values()} == {"web", "worker"}


@pytest.mark.parametrize("service", ["web", "worker"])
def test_services_are_held_small(service: str) -> None:
    found = bridges()[service]
    assert found["read_only"]
    assert found["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in found["security_opt"]
    assert {"mem_limit", "pids_limit", "hostname"} <= found.keys()
    assert "privileged" not in found


def test_only_the_worker_is_allowed_to_make_sandboxes() -> None:
    assert not any("unconfined" in option for option in bridges()["web"]["security_opt"])


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in compose()["services"].items() if "ports" in service] == ["proxy"]
    assert compose()["networks"]["back"]["internal"]
    assert compose()["services"]["database"]["networks"] == ["back"]


def test_every_name_in_compose_is_defined() -> None:
    document = compose()
    for service in document["services"].values():
        assert set(service.get("networks", [])) <= document["networks"].keys()
        assert set(service.get("secrets", [])) <= document["secrets"].keys()
        assert set(service.get("depends_on", {})) <= document["services"].keys()
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (DEPLOY / source).is_file(), source
            elif not source.startswith(("/", "$")):
                assert source in document["volumes"]


def test_environment_in_compose_names_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in bridges().values():
        for key in service["environment"]:
            monkeypatch.setenv(key, "https://bridge.example.org")
    assert Settings().server.public_url == "https://bridge.example.org"


def test_settings_in_compose_read_the_secrets_in_compose() -> None:
    text = (DEPLOY / "compose.toml").read_text(encoding="utf-8")
    named = set(re.findall(r'"/run/secrets/(.+)"', text))
    assert named == set(bridges()["worker"]["secrets"]) == set(bridges()["web"]["secrets"])


def test_storage_in_compose_lies_in_the_shared_volume(tmp_path: Path) -> None:
    storage = settings_of(DEPLOY / "compose.toml", tmp_path).storage
    for name in ("artifacts", "runs", "repositories", "environments", "secrets"):
        assert str(getattr(storage, name)).startswith("/var/lib/reana-bridge/")
    for service in bridges().values():
        assert "state:/var/lib/reana-bridge" in service["volumes"]


def test_secrets_are_made_once_and_kept_from_others(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "make-secrets", tmp_path)
    first = run(tmp_path / "make-secrets")
    assert first.returncode == 0, first.stderr
    made = {path.name: path for path in (tmp_path / "secrets").iterdir()}
    assert made.keys() == compose()["secrets"].keys()
    before = {name: path.read_text() for name, path in made.items()}
    password = before["database-password"]
    assert len(password) == 64
    assert before["database-url"] == f"postgresql://bridge:{password}@database/bridge\n"
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in made.values())
    assert run(tmp_path / "make-secrets").returncode == 0
    assert {name: path.read_text() for name, path in made.items()} == before


def test_secrets_stay_out_of_the_repository() -> None:
    done = run("git", "check-ignore", "deploy/secrets/database-url", cwd=ROOT)
    assert done.returncode == 0 or not (ROOT / ".git").exists()


@pytest.mark.parametrize("name", ["Caddyfile", "nginx.conf"])
def test_proxies_let_through_what_the_bridge_takes_and_hide_what_is_inside(name: str) -> None:
    text = (DEPLOY / name).read_text(encoding="utf-8")
    limits = [
        int(found) * 2**20 for found in re.findall(r"(?:max_size|client_max_body_size) (\d+)(?:MiB|m)", text)
    ]
    assert max(limits) > Settings().server.body_limit
    assert min(limits) <= 2**20
    assert "metrics" in text
    assert "readyz" not in text, "the doctor asks for it by the public address"
    assert "Strict-Transport-Security" in text
    assert '$request"' not in text, "the request line holds the key of a report's link"


@pytest.mark.skipif(shutil.which("caddy") is None, reason="install caddy")
def test_caddy_takes_its_file(tmp_path: Path) -> None:
    environment = {**os.environ, "BRIDGE_HOST": "bridge.example.org", "HOME": str(tmp_path)}
    done = run(
        "caddy", "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile", env=environment
    )
    assert done.returncode == 0, done.stderr
    assert run("caddy", "fmt", DEPLOY / "Caddyfile").stdout == (DEPLOY / "Caddyfile").read_text(
        encoding="utf-8"
    )


@pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="install nginx and openssl"
)
def test_nginx_takes_its_file(tmp_path: Path) -> None:
    made = run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-subj", "/CN=bridge.example.org", "-keyout", tmp_path / "key", "-out", tmp_path / "pem"),
    )
    assert made.returncode == 0, made.stderr
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    text = text.replace("/etc/ssl/certs/bridge.example.org.pem", str(tmp_path / "pem"))
    text = text.replace("/etc/ssl/private/bridge.example.org.key", str(tmp_path / "key"))
    text = text.replace("/var/log/nginx", str(tmp_path))
    whole = f"pid {tmp_path}/pid;\nerror_log {tmp_path}/log;\nevents {{}}\nhttp {{\n{text}\n}}\n"
    (tmp_path / "nginx.conf").write_text(whole)
    done = run("nginx", "-t", "-e", tmp_path / "log", "-c", tmp_path / "nginx.conf")
    assert done.returncode == 0, done.stderr


def dockerfile() -> list[tuple[str, str]]:
    """Instructions and their arguments, continued lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in joined.splitlines() if line.strip()]


def last_stage() -> dict[str, str]:
    instructions = dockerfile()
    start = max(number for number, (name, _) in enumerate(instructions) if name == "FROM")
    return dict(instructions[start:])


def test_the_image_is_built_in_two_stages_from_the_lock_file() -> None:
    assert [name for name, _ in dockerfile()].count("FROM") == 2
    syncs = [arguments for name, arguments in dockerfile() if name == "RUN" and "uv sync" in arguments]
    assert syncs
    assert all("--frozen" in sync and "--no-dev" in sync for sync in syncs)


def test_the_image_does_not_run_as_root() -> None:
    assert last_stage()["USER"] == "reana-bridge"


@pytest.mark.parametrize("package", ["bubblewrap", "git", "git-lfs", "slirp4netns", "tini", "python3-venv"])
def test_the_image_has_what_runs_need(package: str) -> None:
    assert re.search(rf"\b{package}\b", last_stage()["RUN"])


def test_the_image_is_asked_how_it_is_without_further_programs() -> None:
    check = last_stage()["HEALTHCHECK"]
    assert "/healthz" in check
    assert "curl" not in check
    assert "wget" not in check


def test_everything_that_is_copied_is_sent_to_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    for name, arguments in dockerfile():
        if name == "COPY" and not arguments.startswith("--from"):
            for source in arguments.split()[:-1]:
                assert f"!{source}" in ignored, source
                assert (ROOT / source).exists(), source


def test_the_user_of_the_image_is_the_one_that_secrets_are_given_to() -> None:
    uid = re.search(r"--uid (\d+)", last_stage()["RUN"])
    assert uid
    assert f"chown {uid[1]} " in (DEPLOY / "make-secrets").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", ["deploy/make-secrets", ".ci/run"])
@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="install shellcheck")
def test_shellcheck_finds_nothing(script: str) -> None:
    done = run("shellcheck", ROOT / script)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", ["deploy/make-secrets", ".ci/run"])
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
