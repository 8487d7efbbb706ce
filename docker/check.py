#!/usr/bin/env python3
"""Checks everything in this folder, as far as that goes without images. Run by `make test`.

    docker/check.py

Prints one line a check and, below it, whatever is wrong; exit status 1 if anything is. A tool that is
missing is a failure and never a reason to skip. Needs promtool, amtool and docker-compose (Debian:
prometheus, prometheus-alertmanager, docker-compose) and python3-yaml. The compose file is judged by
docker-compose itself, which holds the published schema.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as xml
from pathlib import Path

try:
    import yaml
except ImportError:
    sys.exit("check: PyYAML is missing; apt-get install python3-yaml, or pip install pyyaml")

sys.path.insert(0, str(Path(__file__).parent / "checks"))
import alerts
import health

DOCKER = Path(__file__).resolve().parent
ROOT = DOCKER.parent
ROLES = ("ingest", "enrich", "sink", "alert")
SECRETS = "/run/secrets/"
# Where the images listen when nothing says otherwise.
IMAGE_PORTS = {"prometheus": 9090, "alertmanager": 9093, "grafana": 3000, "clickhouse": 8123}


def run(*command):
    """What is wrong according to a tool: nothing, or its output."""
    if shutil.which(str(command[0])) is None:
        return [f"{command[0]} is missing; engines/fetch/system.sh test installs it"]
    done = subprocess.run(command, cwd=DOCKER, capture_output=True, text=True, timeout=120)
    return [] if done.returncode == 0 else (done.stdout + done.stderr).strip().splitlines()


def environment(service):
    return {key: str(value) for key, value in service.get("environment", {}).items()}


def binds(service):
    """(source, target) of what a service mounts from the repository."""
    for volume in service.get("volumes", []):
        source, target, *_ = volume.split(":")
        if source.startswith("."):
            yield (DOCKER / source).resolve(), target


def mounts(services, declared_volumes):
    """Every mounted path exists; every volume is declared."""
    for name, service in services.items():
        for source, _ in binds(service):
            if not source.exists():
                yield f"{name}: {source} does not exist"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if not source.startswith(".") and source not in declared_volumes:
                yield f"{name}: volume {source} is not declared"


def named_secrets(service):
    """Secrets that a service's environment and mounted files name."""
    texts = list(environment(service).values())
    for source, _ in binds(service):
        files = [source] if source.is_file() else source.rglob("*")
        texts += [file.read_text() for file in files if file.is_file()]
    for text in texts:
        yield from re.findall(r"/run/secrets[/:]([a-z_]+)", text)


def secrets(compose):
    """Who names a secret gets it, who gets one needs it, and secrets.sh makes them all."""
    roles = {*ROLES, "migrate", "tools"}
    for name, service in compose["services"].items():
        given, named = set(service.get("secrets", [])), set(named_secrets(service))
        if missing := named - given:
            yield f"{name} names secrets that it is not given: {missing}"
        if name not in roles and given - named:
            yield f"{name} is given secrets that it never names: {given - named}"
    with tempfile.TemporaryDirectory() as folder:
        yield from run(DOCKER / "secrets.sh", folder)
        made = {file.name: file for file in Path(folder).iterdir()}
        declared = {Path(secret["file"]).name for secret in compose["secrets"].values()}
        if declared != made.keys():
            yield f"secrets.sh makes {sorted(made)}, compose.yaml mounts {sorted(declared)}"
            return
        before = {name: file.read_bytes() for name, file in made.items()}
        yield from run(DOCKER / "secrets.sh", folder)
        if before != {name: file.read_bytes() for name, file in made.items()}:
            yield "secrets.sh changes secrets that are there already"
        users = xml.parse(made["clickhouse_users"]).getroot()
        for user in ("application", "analyst"):
            digest = hashlib.sha256(before[f"clickhouse_{user}"]).hexdigest()
            if users.findtext(f"{user}_sha256") != digest:
                yield f"clickhouse_users does not hold the hash of clickhouse_{user}"


def options(file):
    """Every option in a TOML file: path -> value."""
    found, queue = {}, [("", tomllib.loads(file.read_text()))]
    while queue:
        prefix, table = queue.pop()
        for key, value in table.items():
            if isinstance(value, dict):
                queue.append((f"{prefix}{key}.", value))
            else:
                found[f"{prefix}{key}"] = value
    return found


def image_environment():
    text = (DOCKER / "Dockerfile").read_text()
    return dict(re.findall(r"\b(ECHOLOT__\w+)=(\S+)", text))


def configuration(services):
    """Every variable and every line of echolot.toml is an option, and every file it names is there."""
    known = options(ROOT / "config/default.toml")
    own = options(DOCKER / "echolot.toml")
    for path, value in own.items():
        if type(known.get(path)) is not type(value):
            yield f"echolot.toml: config/default.toml has no such option {path}"
    named = [("Dockerfile", key) for key in image_environment()]
    named += [(name, key) for name, service in services.items() for key in environment(service)]
    for place, key in named:
        if key.startswith("ECHOLOT__"):
            path = key.removeprefix("ECHOLOT__").lower().replace("__", ".")
            sender = re.fullmatch(r"ingest\.push\.senders\.\w+\.(secret|internal)", path)
            if path not in known and not sender:
                yield f"{place}: {key}: config/default.toml has no option {path}"
            elif isinstance(known.get(path), list):
                yield f"{place}: {key}: a list cannot be set in the environment"
    for name in ROLES:
        mounted = {target for _, target in binds(services[name])}
        wanted = {services[name]["entrypoint"][-1], *own["enrich.brands"]}
        for path in wanted:
            if not any(Path(target).match(path) for target in mounted):
                yield f"{name}: nothing is mounted at {path}"


def port_of(address):
    return int(str(address).rsplit(":", 1)[1])


def listening(services):
    """Service -> ports that it listens on, from its own configuration."""
    ports = {name: {port} for name, port in IMAGE_PORTS.items()}
    clickhouse = xml.parse(DOCKER / "clickhouse/config.d/echolot.xml").getroot()
    ports["clickhouse"].add(int(clickhouse.findtext("prometheus/port")))
    ports["kafka"] = {port_of(broker) for broker in [advertised_broker()]}
    for role in ROLES:
        set_here = image_environment() | environment(services[role])
        ports[role] = {port_of(set_here["ECHOLOT__TELEMETRY__LISTEN"])}
        if role == "ingest":
            ports[role].add(port_of(set_here["ECHOLOT__INGEST__PUSH__LISTEN"]))
    return ports


def advertised_broker():
    properties = (DOCKER / "kafka/server.properties").read_text()
    return re.search(r"^advertised\.listeners=.*CLIENTS://([^,\s]+)", properties, re.M)[1]


def ports(services, prometheus):
    """Whoever connects finds somebody listening: scrapes, data sources, roles, published ports."""
    open_ports = listening(services)

    def reaches(what, address):
        host, _, port = re.sub(r"^https?://", "", str(address)).partition(":")
        host = what if host == "localhost" else host
        if int(port) not in open_ports.get(host, ()):
            yield f"{what} connects to {address}, where nothing listens"

    for job in prometheus["scrape_configs"]:
        for found in job.get("dns_sd_configs", []):
            for name in found["names"]:
                yield from reaches(job["job_name"], f"{name}:{found['port']}")
        for static in job.get("static_configs", []):
            for target in static["targets"]:
                yield from reaches(job["job_name"], target)
    for manager in prometheus["alerting"]["alertmanagers"]:
        for target in manager["static_configs"][0]["targets"]:
            yield from reaches("prometheus", target)
    sources = yaml.safe_load((DOCKER / "grafana/provisioning/datasources/echolot.yaml").read_text())
    for source in sources["datasources"]:
        data = source["jsonData"]
        yield from reaches("grafana", source.get("url") or f"{data['host']}:{data['port']}")
    published = []
    for name, service in services.items():
        for key in ("ECHOLOT__KAFKA__BROKERS", "ECHOLOT__CLICKHOUSE__URL"):
            if key in environment(service):
                yield from reaches(name, environment(service)[key])
        for mapping in service.get("ports", []):
            address, host, container = mapping.split(":")
            if address != "127.0.0.1":
                yield f"{name}: port {host} is open to the network"
            if int(container) not in open_ports[name]:
                yield f"{name}: port {container} is published, where nothing listens"
            first, _, last = host.partition("-")
            published += range(int(first), int(last or first) + 1)
    if len(published) != len(set(published)):
        yield f"a port is published twice: {sorted(published)}"
    exposed = re.search(r"^EXPOSE (.*)$", (DOCKER / "Dockerfile").read_text(), re.M)[1]
    if set(map(int, exposed.split())) != open_ports["ingest"]:
        yield f"the Dockerfile exposes {exposed}, the roles listen on {open_ports['ingest']}"


def scalable(services):
    """A role can be copied: no fixed name, limits, and a port range where it publishes one."""
    for name, service in services.items():
        if "container_name" in service:
            yield f"{name}: container_name bars the way to a second copy"
        if not service.get("deploy", {}).get("resources", {}).get("limits", {}).get("memory"):
            yield f"{name}: has no memory limit"
        if name in ROLES and any("-" not in mapping for mapping in service.get("ports", [])):
            yield f"{name}: a published port must be a range"
        own_image = service["image"] == services["ingest"]["image"]
        if not own_image and not service.get("healthcheck", {}).get("test"):
            yield f"{name}: has no health check"


def images(services):
    """Images are pinned, and are the versions of the embedded engines and of the toolchain."""
    versions = dict(
        re.findall(r"^(\w+)=(\S+)$", (ROOT / "engines/fetch/versions.env").read_text(), re.M)
    )
    dockerfile = (DOCKER / "Dockerfile").read_text()
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.M)
    for image in bases + [service["image"] for service in services.values()]:
        name, _, tag = image.partition(":")
        if not tag or tag == "latest":
            yield f"{image} is not pinned"
        if name == "apache/kafka" and tag != versions["KAFKA_VERSION"]:
            yield f"{image} is not the embedded {versions['KAFKA_VERSION']}"
        if name == "clickhouse/clickhouse-server" and not versions["CLICKHOUSE_VERSION"].startswith(
            f"{tag}."
        ):
            yield f"{image} is not the embedded {versions['CLICKHOUSE_VERSION']}"
    needed = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["rust-version"]
    if not bases[0].startswith(f"rust:{needed}"):
        yield f"{bases[0]} is not Rust {needed}, the workspace's rust-version"
    final = dockerfile.rsplit("\nFROM ", 1)[1]
    if not re.search(r"^USER [1-9]\d*:[1-9]\d*$", final, re.M):
        yield "the image does not run as a user of its own"
    if "\nHEALTHCHECK " not in final:
        yield "the image has no health check"
    for source in re.findall(r"^COPY (?!--from)(\S+) ", final, re.M):
        if not (ROOT / source).exists():
            yield f"the Dockerfile copies {source}, which does not exist"


def clickhouse_users():
    """Users have the rights of the embedded server's, which the end-to-end tests use."""

    def rights(path):
        users = xml.parse(path).getroot().find("users")
        return {
            user: [query.text for query in users.findall(f"{user}/grants/query")]
            for user in ("echolot", "analyst")
        }

    embedded = rights(ROOT / "engines/src/clickhouse/users.xml")
    composed = rights(DOCKER / "clickhouse/users.d/echolot.xml")
    for user, grants in embedded.items():
        if composed[user] != grants:
            yield f"{user} has {composed[user]}, the embedded server grants {grants}"


def runbook(services):
    """The runbook's commands name subcommands and services that exist."""
    text = (ROOT / "docs/RUNBOOK.md").read_text()
    enum = re.search(r"enum Command \{(.*?)\n\}", (ROOT / "src/cli.rs").read_text(), re.S)[1]
    variants = re.findall(r"^    ([A-Z]\w+)", enum, re.M)
    known = {re.sub(r"(?<!^)([A-Z])", r"-\1", variant).lower() for variant in variants}
    for command in re.findall(r"\bcompose run --rm (?:-\S+ \S+ )*tools ([a-z-]+)", text):
        if command not in known:
            yield f"echolot has no subcommand {command}"
    for service in re.findall(r"\bcompose (?:logs|exec|restart|stop|start|kill)(?: -\S+)* ([a-z]+)", text):
        if service not in services:
            yield f"compose.yaml has no service {service}"


def routes():
    """Critical alerts reach whoever is on call, those on brands their team, the others the operators."""
    for labels, receiver in (
        (["severity=critical"], "on-call"),
        (["severity=warning"], "operators"),
        (["severity=critical", "audience=brand"], "brand-team"),
        (["severity=info", "audience=brand"], "brand-team"),
    ):
        yield from run(
            *("amtool", "config", "routes", "test"),
            "--config.file=alertmanager/alertmanager.yml",
            f"--verify.receivers={receiver}",
            *labels,
        )


def main():
    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    services = compose["services"]
    prometheus = yaml.safe_load((DOCKER / "prometheus/prometheus.yml").read_text())
    tests = sorted((DOCKER / "prometheus/tests").glob("*.yaml"))
    checks = {
        "compose file, by docker-compose": lambda: run(
            "docker-compose", "--file", "compose.yaml", "config", "--quiet"
        ),
        "mounted files": lambda: mounts(services, compose["volumes"]),
        "secrets": lambda: secrets(compose),
        "configuration and environment names": lambda: configuration(services),
        "ports": lambda: ports(services, prometheus),
        "limits and scaling": lambda: scalable(services),
        "images": lambda: images(services),
        "ClickHouse users": clickhouse_users,
        "health check script": lambda: health.check(DOCKER / "health.sh"),
        "Prometheus configuration": lambda: run(
            "promtool", "check", "config", "prometheus/prometheus.yml"
        ),
        "alert tests": lambda: run("promtool", "test", "rules", *tests),
        "every alert fires and stays silent in a test": lambda: alerts.tested(DOCKER),
        "alert texts and runbook sections": lambda: alerts.documented(DOCKER, ROOT),
        "Alertmanager configuration": lambda: run(
            "amtool", "check-config", "alertmanager/alertmanager.yml"
        ),
        "alert routes": routes,
        "alerts named in inhibitions": lambda: alerts.routed(DOCKER),
        "metrics in rules and dashboards": lambda: alerts.metrics(DOCKER, ROOT),
        "dashboard queries": lambda: alerts.dashboards(DOCKER, ROOT, run),
        "runbook commands": lambda: runbook(services),
    }
    failed = 0
    for name, check in checks.items():
        wrong = list(check())
        failed += bool(wrong)
        print(f"{'FAIL' if wrong else 'ok  '} {name}")
        for line in wrong:
            print(f"       {line}")
    print(f"docker: {len(checks) - failed} of {len(checks)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
