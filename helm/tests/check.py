#!/usr/bin/env python3
"""Checks of the chart without a cluster; `make chart` runs them. `check.py --write` renews the README's table of values.

Every file of siyu/ci is linted and rendered by both majors of Helm, the results are compared as objects, held against the
schemas of the Kubernetes versions below and against the rules of rules.py.
"""

import copy
import functools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib

import jsonschema
import kubernetes_validate.utils as kubernetes
import yaml

import rules
import values_table

HERE = pathlib.Path(__file__).resolve().parent
CHART = HERE.parent / "siyu"
HELMS = [shutil.which("helm3"), shutil.which("helm4")]
KUBERNETES = ["1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"]
RELEASE, NAMESPACE = "acme", "shop"

# Read once, not once for each object.
kubernetes.schema_contents = functools.lru_cache(maxsize=None)(kubernetes.schema_contents)


def helm(program, *args):
    return subprocess.run([program, *map(str, args)], capture_output=True, text=True, check=False)


def template(program, *args, chart=CHART, release=RELEASE):
    run = helm(program, "template", release, chart, "--namespace", NAMESPACE, *args)
    assert run.returncode == 0, f"{program} template {args}: {run.stderr}"
    objects = [o for o in yaml.safe_load_all(run.stdout) if o]
    return sorted(objects, key=lambda o: (o["kind"], o["metadata"]["name"]))


def one(objects, kind, name):
    return next(o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name))


def default_values():
    return yaml.safe_load((CHART / "values.yaml").read_text())


def secrets_of(values):
    """(name, key) of every Secret that these values say exists."""
    merged = default_values()
    for section in ("database", "auth", "vault", "nats"):
        merged[section].update(values.get(section, {}))
    found = {(merged["auth"]["existingSecret"], merged["auth"]["key"]), (merged["nats"]["existingSecret"], merged["nats"]["key"])}
    found |= {(merged["vault"]["existingSecret"], merged["vault"][key]) for key in ("key", "keyBefore")}
    for name in merged["services"]:
        database = merged["database"] | values.get("services", {}).get(name, {}).get("database", {})
        found |= {(database["existingSecret"], database["key"] or name), (database["ownerSecret"], database["ownerKey"] or name)}
    return {(secret.replace("{{ .Release.Name }}", RELEASE), key) for secret, key in found}


# --- the checks -----------------------------------------------------------------------------------

def every_values_file_renders(path):
    rendered = []
    for program in HELMS:
        lint = helm(program, "lint", "--strict", CHART, "-f", path)
        assert lint.returncode == 0, lint.stdout + lint.stderr
        rendered.append(template(program, "-f", path))
    assert rendered[0] == rendered[1], "the majors of Helm render different objects"
    objects = rendered[0]
    own = [o for o in objects if o["apiVersion"].split("/")[0] not in rules.FOREIGN_GROUPS]
    for version in KUBERNETES:
        for o in own:
            kubernetes.validate(o, version, strict=True)
    wrong = [f"{rule.__name__}: {text}" for rule in rules.RULES for text in rule(own)]
    wrong += rules.references_exist(own, secrets_of(yaml.safe_load(path.read_text())))
    assert not wrong, "\n".join(wrong)
    return objects


def nothing_enabled_renders_nothing():
    assert template(HELMS[1], "-f", CHART / "ci/all-off-values.yaml") == []


def a_misspelled_key_is_refused_everywhere():
    validator = jsonschema.Draft7Validator(json.loads((CHART / "values.schema.json").read_text()))
    jsonschema.Draft7Validator.check_schema(validator.schema)
    values = default_values()
    values["services"]["order"] = {"autoscaling": {"enabled": True}}
    assert validator.is_valid(values)
    # Maps of the user's own making; everything else has the keys that it has.
    open_maps = {"requests", "limits", "podSecurityContext", "seccompProfile", "securityContext", "capabilities"}

    def walk(node, path):
        if path and path[-1] in open_maps or not isinstance(node, dict) or (path and not node):
            return
        broken = copy.deepcopy(values)
        functools.reduce(lambda n, k: n[k], path, broken)["misspeled"] = 1
        assert not validator.is_valid(broken), f"values.schema.json admits {'.'.join(path)}.misspeled"
        for key, value in node.items():
            walk(value, [*path, key])

    walk(values, [])


def both_helms_refuse_what_the_schema_refuses():
    for wrong in ("replicaCount=2", "defaults.replicaCount=2", "services.order.replica=2", "services.orders.replicas=2",
                  "migrations.mode=Hook", "image.digest=latest", "database.existingSecret="):
        for program in HELMS:
            run = helm(program, "template", RELEASE, CHART, "--set", wrong)
            named = any(key in run.stderr for key in wrong.split("=")[0].split(".")[-2:])
            assert run.returncode != 0 and named, f"{program} takes --set {wrong}: {run.stderr}"


def commands_make_no_cycle():
    text = (CHART / "templates/_graph.tpl").read_text().split('"siyu.graph" -}}')[1].split("{{- end }}")[0]
    left = {name: set(edges["asks"]) for name, edges in yaml.safe_load(text).items()}
    assert len(left) == 6 and all(asks <= left.keys() for asks in left.values())
    while free := {name for name, asks in left.items() if not asks}:
        left = {name: asks - free for name, asks in left.items() if name not in free}
    assert not left, f"services that wait for each other: {left}"


def compose_has_the_same_edges():
    compose = yaml.safe_load((HERE.parents[1] / "deploy/compose.yaml").read_text())["services"]
    for o in rules.of_kind(template(HELMS[1]), "ConfigMap"):
        name, peers = o["metadata"]["name"].removeprefix("acme-siyu-"), tomllib.loads(o["data"]["siyu.toml"])["peers"]
        there = {key.removeprefix("SIYU__PEERS__").lower() for key in compose[name]["environment"] if "PEERS" in key}
        assert there == peers.keys(), f"deploy/compose.yaml, {name}: {there} instead of {set(peers)}"


def a_service_can_turn_off_what_the_defaults_turn_on():
    objects = template(HELMS[1], "--set", "services.order.podDisruptionBudget.enabled=false,services.order.replicas=0",
                       "--set", "services.order.preStopSleepSeconds=0")
    order = one(objects, "Deployment", "acme-siyu-order")
    assert order["spec"]["replicas"] == 0
    assert "lifecycle" not in order["spec"]["template"]["spec"]["containers"][0]
    budgets = {o["metadata"]["name"] for o in rules.of_kind(objects, "PodDisruptionBudget")}
    assert "acme-siyu-order" not in budgets and "acme-siyu-member" in budgets


def what_a_user_adds_to_the_environment_wins():
    objects = template(HELMS[1], "-f", CHART / "ci/every-knob-values.yaml")
    env = one(objects, "Deployment", "acme-siyu-order")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "SIYU_CONFIG", "value": "/etc/other/siyu.toml"} in env, env
    assert {"name": "RUST_BACKTRACE", "value": "1"} in env, env


def a_new_chart_version_restarts_no_pod():
    with tempfile.TemporaryDirectory() as directory:
        newer = pathlib.Path(directory) / "siyu"
        shutil.copytree(CHART, newer)
        text = (newer / "Chart.yaml").read_text()
        (newer / "Chart.yaml").write_text(text.replace("\nversion: ", "\nversion: 9"))
        before, after = template(HELMS[1]), template(HELMS[1], chart=newer)
    assert before != after, "the version is on no object at all"
    for old, new in zip(before, after, strict=True):
        if old["kind"] in ("Deployment", "Job"):
            assert old["metadata"]["name"] == new["metadata"]["name"] and old["spec"] == new["spec"], rules.label(old)


def a_new_image_gets_a_new_migration_job():
    def jobs(*args):
        return {o["metadata"]["name"] for o in rules.of_kind(template(HELMS[1], *args), "Job")}

    now = jobs()
    assert len(now) == 6 and now == jobs() and now == jobs("--set", "defaults.replicas=4")
    assert not now & jobs("--set", "image.tag=next")
    assert len(now & jobs("--set", "services.order.image.tag=next")) == 5


def a_long_release_name_still_fits():
    objects = template(HELMS[1], release="r" * 53)
    assert not list(rules.names_are_unique_and_fit(objects)), [o["metadata"]["name"] for o in objects]


def hooks_bring_all_that_they_need():
    objects = template(HELMS[1], "-f", CHART / "ci/hook-values.yaml")
    hooks = [o for o in objects if "pre-install" in o["metadata"].get("annotations", {}).get("helm.sh/hook", "")]
    assert {o["kind"] for o in hooks} == {"Job", "ServiceAccount"}
    for o in hooks:
        notes = o["metadata"]["annotations"]
        assert notes["helm.sh/hook"] == "pre-install,pre-upgrade" and "hook-succeeded" in notes["helm.sh/hook-delete-policy"]
        if o["kind"] == "Job":
            spec = o["spec"]["template"]["spec"]
            assert spec["serviceAccountName"] in {h["metadata"]["name"] for h in hooks} and not spec.get("volumes")


def the_notes_name_the_secrets():
    # Only Helm 4 renders the notes without a cluster.
    run = helm(HELMS[1], "install", RELEASE, CHART, "--dry-run=client", "-n", NAMESPACE)
    notes = run.stdout.split("NOTES:")[1]
    assert all(name in notes for name in ("siyu-database", "siyu-database-owner", "siyu-auth", "siyu-vault", "svc/acme-siyu-gateway")), notes


def the_chart_packs_without_its_tests():
    with tempfile.TemporaryDirectory() as directory:
        for program in HELMS:
            assert helm(program, "package", CHART, "-d", directory).returncode == 0
            archive = next(pathlib.Path(directory).glob("*.tgz"))
            names = subprocess.run(["tar", "tzf", archive], capture_output=True, text=True, check=True).stdout
            assert "siyu/values.schema.json" in names and "/ci/" not in names
            archive.unlink()


def the_readme_has_every_value():
    readme = (CHART / "README.md").read_text()
    renewed, missing = values_table.in_readme(readme, (CHART / "values.yaml").read_text())
    assert not missing, f"values without a comment: {missing}"
    assert readme == renewed, "the table of values is stale: run helm/tests/check.py --write"


# --- main -----------------------------------------------------------------------------------------

CHECKS = [nothing_enabled_renders_nothing, a_misspelled_key_is_refused_everywhere, both_helms_refuse_what_the_schema_refuses,
          commands_make_no_cycle, compose_has_the_same_edges, a_service_can_turn_off_what_the_defaults_turn_on, what_a_user_adds_to_the_environment_wins,
          a_new_chart_version_restarts_no_pod, a_new_image_gets_a_new_migration_job, a_long_release_name_still_fits,
          hooks_bring_all_that_they_need, the_notes_name_the_secrets, the_chart_packs_without_its_tests,
          the_readme_has_every_value]


def main():
    if sys.argv[1:] == ["--write"]:
        readme = CHART / "README.md"
        text, missing = values_table.in_readme(readme.read_text(), (CHART / "values.yaml").read_text())
        readme.write_text(text)
        sys.exit(f"values without a comment: {missing}" if missing else 0)
    if not all(HELMS):
        sys.exit("helm3 and helm4 must be on the PATH; deploy/setup.sh --tools brings them on Linux x86_64")
    cases = [(f"renders: {p.name}", functools.partial(every_values_file_renders, p)) for p in sorted((CHART / "ci").glob("*.yaml"))]
    cases += [(check.__name__.replace("_", " "), check) for check in CHECKS]
    failed = 0
    for name, check in cases:
        try:
            check()
            print(f"chart: ok    {name}")
        except Exception as error:  # a broken check must not hide the ones after it
            failed += 1
            print(f"chart: WRONG {name}\n{type(error).__name__}: {error}", file=sys.stderr)
    print(f"chart: {len(cases) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
