"""Checks across rules, their tests, their texts, the metrics they name and the dashboards."""

import json
import re
import tempfile

import yaml

TEXTS = {"summary", "summary_de", "description", "description_de", "runbook_url"}
# Series of Prometheus itself and of ClickHouse's own endpoint.
FOREIGN = {
    "up",
    "ALERTS",
    "ClickHouseAsyncMetrics_FilesystemMainPathAvailableBytes",
    "ClickHouseAsyncMetrics_FilesystemMainPathTotalBytes",
}
NAME = r"\b(?:echolot_[a-z0-9_]+|echolot:[a-z0-9_:]+|ClickHouse\w+)"


def rules(docker):
    for file in sorted((docker / "prometheus/rules").glob("*.yaml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


def alert_rules(docker):
    return {rule["alert"]: rule for rule in rules(docker) if "alert" in rule}


def tested(docker):
    """Each alert has a case in which it fires and one in which it does not."""
    firing, silent = set(), set()
    for file in (docker / "prometheus/tests").glob("*.yaml"):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for case in test.get("alert_rule_test", []):
                (firing if case["exp_alerts"] else silent).add(case["alertname"])
            for case in test.get("promql_expr_test", []):
                asked = re.fullmatch(r'ALERTS\{alertname="(\w+)",alertstate="firing"\}', case["expr"])
                if asked:
                    (firing if case["exp_samples"] else silent).add(asked[1])
    for alert in alert_rules(docker):
        if alert not in firing:
            yield f"{alert} fires in no test"
        if alert not in silent:
            yield f"{alert} stays silent in no test"
    for unknown in (firing | silent) - alert_rules(docker).keys():
        yield f"{unknown} is tested and is no alert"


def documented(docker, root):
    """Each alert has a severity, its texts in both languages and a section of the runbook."""
    headings = set(re.findall(r"^### (Echolot\w+)$", (root / "docs/RUNBOOK.md").read_text(), re.M))
    for name, rule in alert_rules(docker).items():
        if rule.get("labels", {}).get("severity") not in {"critical", "warning", "info"}:
            yield f"{name} has no severity"
        by_brand = "echolot:alert_severity" in rule["expr"] or "echolot:brand" in rule["expr"]
        if by_brand != (rule["labels"].get("audience") == "brand"):
            yield f"{name}: alerts on brands, and they alone, have the label audience: brand"
        texts = rule.get("annotations", {})
        if missing := TEXTS - texts.keys():
            yield f"{name} lacks {sorted(missing)}"
            continue
        for text in ("summary", "description"):
            if texts[text] == texts[f"{text}_de"]:
                yield f"{name}: {text}_de is not in German"
        if texts["runbook_url"] != f"docs/RUNBOOK.md#{name.lower()}":
            yield f"{name}: its runbook_url must be docs/RUNBOOK.md#{name.lower()}"
        if name not in headings:
            yield f"{name} has no section in docs/RUNBOOK.md"
    for heading in headings - alert_rules(docker).keys():
        yield f"docs/RUNBOOK.md has a section {heading}, which is no alert"


def routed(docker):
    """Routes and inhibitions name alerts that exist."""
    text = (docker / "alertmanager/alertmanager.yml").read_text()
    for matched in re.findall(r'alertname=~?"([\w|]+)"', text):
        for name in matched.split("|"):
            if name not in alert_rules(docker):
                yield f"alertmanager.yml names {name}, which is no alert"


def panels(docker):
    for file in sorted((docker / "grafana/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            yield file.name, panel


def dashboard_expressions(docker):
    for file, panel in panels(docker):
        for target in panel.get("targets", []):
            if "expr" in target:
                yield f"{file}, {panel['title']}", target["expr"]


def existing(root):
    """Metrics that the roles have: from the generated docs, or from the sources before those are."""
    docs = root / "docs/metrics.md"
    texts = [docs] if docs.exists() else root.glob("*/src/**/metrics.rs")
    return {name for text in texts for name in re.findall(r"\becholot_[a-z0-9_]+", text.read_text())}


def metrics(docker, root):
    """Every series in rules, tests and dashboards exists."""
    recorded = {rule["record"] for rule in rules(docker) if "record" in rule}
    known = existing(root) | recorded | FOREIGN
    named = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules(docker)]
    named += dashboard_expressions(docker)
    for file in (docker / "prometheus/tests").glob("*.yaml"):
        for test in yaml.safe_load(file.read_text())["tests"]:
            named += [(file.name, series["series"]) for series in test["input_series"]]
    for place, expression in named:
        for name in re.findall(NAME, expression):
            if name not in known and re.sub(r"_(bucket|sum|count)$", "", name) not in known:
                yield f"{place}: there is no {name}"
    for name in recorded:
        if not any(name in expression for _, expression in named):
            yield f"{name} is recorded and never used"


def columns(root, view):
    """Column names of a published view."""
    found = list((root / "schemas/clickhouse/views").glob(f"*_{view}.sql"))
    return set(re.findall(r"^    (\w+) ", found[0].read_text(), re.M)) if found else None


def dashboards(docker, root, run):
    """Expressions parse, data sources are provisioned, SQL reads published views and their columns."""
    as_rules = [
        {"record": f"dashboard:{number}", "expr": expression}
        for number, (_, expression) in enumerate(dashboard_expressions(docker))
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"groups": [{"name": "dashboards", "rules": as_rules}]}, file)
        file.flush()
        yield from run("promtool", "check", "rules", file.name)
    provisioned = yaml.safe_load(
        (docker / "grafana/provisioning/datasources/echolot.yaml").read_text()
    )
    sources = {(source["type"], source["uid"]) for source in provisioned["datasources"]}
    seen = set()
    for file, panel in panels(docker):
        if (file, panel["id"]) in seen:
            yield f"{file}: panel id {panel['id']} is used twice"
        seen.add((file, panel["id"]))
        for target in panel.get("targets", []):
            if (target["datasource"]["type"], target["datasource"]["uid"]) not in sources:
                yield f"{panel['title']}: unknown data source {target['datasource']}"
            if "rawSql" in target:
                yield from sql(panel["title"], target["rawSql"], root)


def sql(title, query, root):
    view = re.search(r"\bFROM echolot\.(\w+)", query)
    known = columns(root, view[1]) if view else None
    if known is None:
        yield f"{title}: reads no published view"
        return
    made_up = set(re.findall(r"\bAS (\w+)", query)) | {"echolot", view[1]}
    plain = re.sub(r"'[^']*'", "", query)
    for name in set(re.findall(r"(?<![$\w])[a-z_]+\b(?!\()", plain)) - made_up - known:
        yield f"{title}: {view[1]} has no column {name}"
