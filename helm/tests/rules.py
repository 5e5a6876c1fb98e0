"""What must hold for everything that the chart renders. Each rule takes the objects and yields what is wrong with them."""

import tomllib
from collections import Counter

# Kinds of operators that have no schema here; a release brings them only through extraObjects.
FOREIGN_GROUPS = {"external-secrets.io"}
WORKLOADS = {"Deployment", "Job", "Pod"}


def label(obj):
    return f"{obj['kind']}/{obj['metadata']['name']}"


def of_kind(objects, *kinds):
    return [o for o in objects if o["kind"] in kinds]


def pod_of(obj):
    """(metadata, spec) of the pods that a workload makes."""
    template = obj if obj["kind"] == "Pod" else obj["spec"]["template"]
    return template["metadata"], template["spec"]


def containers(spec):
    return spec.get("initContainers", []) + spec["containers"]


def strings(node):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from strings(key)
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str):
        yield node


def names_are_unique_and_fit(objects):
    for name, count in Counter(map(label, objects)).items():
        if count > 1:
            yield f"{name} is rendered {count} times"
    for o in objects:
        if len(o["metadata"]["name"]) > 63:
            yield f"{label(o)}: longer than 63"


def nothing_is_left_unrendered(objects):
    for o in objects:
        for text in strings(o):
            if "{{" in text or "<no value>" in text or "%!" in text:
                yield f"{label(o)}: unrendered: {text!r}"


def labels_select(objects):
    """Selectors find their own pods and no others; pods carry nothing that changes with the chart's version."""
    pods = {label(o): pod_of(o)[0]["labels"] for o in of_kind(objects, "Deployment", "Job")}
    for o in objects:
        if o["kind"] in ("Deployment", "PodDisruptionBudget"):
            wanted = o["spec"]["selector"]["matchLabels"]
        elif o["kind"] == "Service":
            wanted = o["spec"]["selector"]
        elif o["kind"] == "NetworkPolicy":
            wanted = o["spec"]["podSelector"]["matchLabels"]
        else:
            continue
        found = [name for name, labels in pods.items() if wanted.items() <= labels.items()]
        if len(found) != 1 or not found[0].startswith("Deployment/"):
            yield f"{label(o)} selects {found}"
    for name, labels in pods.items():
        if {"helm.sh/chart", "app.kubernetes.io/version"} & labels.keys():
            yield f"{name}: pods carry a version label"


def ports_are_named(objects):
    for o in of_kind(objects, "Deployment"):
        for c in containers(pod_of(o)[1]):
            for port in c.get("ports", []):
                if not port.get("name") or len(port["name"]) > 15:
                    yield f"{label(o)}: port {port}"
    deployments = {o["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]: o
                   for o in of_kind(objects, "Deployment")}
    for o in of_kind(objects, "Service"):
        pod = pod_of(deployments[o["spec"]["selector"]["app.kubernetes.io/component"]])[1]
        open_ports = {p["name"]: p["containerPort"] for c in pod["containers"] for p in c.get("ports", [])}
        for port in o["spec"]["ports"]:
            if len(port["name"]) > 15 or "appProtocol" not in port or open_ports.get(port["targetPort"]) != port["port"]:
                yield f"{label(o)}: port {port} has no counterpart in {open_ports}"


def environment_names_are_unique(objects):
    for o in of_kind(objects, *WORKLOADS):
        for c in containers(pod_of(o)[1]):
            names = [e["name"] for e in c.get("env", [])]
            if len(names) != len(set(names)) or names != sorted(names):
                yield f"{label(o)}/{c['name']}: environment is repeated or unsorted: {names}"
            for e in c.get("env", []):
                if ("value" in e) == ("valueFrom" in e):
                    yield f"{label(o)}/{c['name']}: {e}"


def pods_are_restricted(objects):
    """The Pod Security Standard "restricted", and what it leaves open."""
    for o in of_kind(objects, *WORKLOADS):
        spec = pod_of(o)[1]
        pod = spec["securityContext"]
        if not (pod.get("runAsNonRoot") and pod.get("runAsUser") and pod["seccompProfile"]["type"] == "RuntimeDefault"):
            yield f"{label(o)}: security context of the pod: {pod}"
        if spec.get("automountServiceAccountToken") is not False or spec.get("enableServiceLinks") is not False:
            yield f"{label(o)}: mounts a token or takes service links"
        if {"hostNetwork", "hostPID", "hostIPC"} & spec.keys():
            yield f"{label(o)}: shares a namespace of the host"
        for v in spec.get("volumes", []):
            if not {"configMap", "secret", "emptyDir", "projected", "persistentVolumeClaim"} & v.keys():
                yield f"{label(o)}: volume {v}"
        for c in containers(spec):
            sc = c.get("securityContext", {})
            if not (sc.get("allowPrivilegeEscalation") is False and sc.get("readOnlyRootFilesystem") is True
                    and sc.get("capabilities", {}).get("drop") == ["ALL"] and not sc.get("privileged")):
                yield f"{label(o)}/{c['name']}: security context {sc}"


def references_exist(objects, allowed_secrets):
    """Every Secret, ConfigMap and account that is named is rendered, or is one that the values say exists."""
    have = {kind: {o["metadata"]["name"]: o for o in of_kind(objects, kind)} for kind in ("ConfigMap", "Secret", "ServiceAccount")}
    for o in of_kind(objects, *WORKLOADS):
        spec = pod_of(o)[1]
        account = spec.get("serviceAccountName", "default")
        if account not in have["ServiceAccount"] and account != "default":
            yield f"{label(o)}: no service account {account}"
        for c in containers(spec):
            for e in c.get("env", []):
                ref = e.get("valueFrom", {}).get("secretKeyRef")
                if ref and (ref["name"], ref["key"]) not in allowed_secrets:
                    yield f"{label(o)}: nobody is told of Secret {ref}"
            mounts = {m["name"] for m in c.get("volumeMounts", [])}
            if mounts - {v["name"] for v in spec.get("volumes", [])}:
                yield f"{label(o)}: mounts {mounts} are not all volumes"
        for v in spec.get("volumes", []):
            if "configMap" in v and v["configMap"]["name"] not in have["ConfigMap"]:
                yield f"{label(o)}: no ConfigMap {v['configMap']['name']}"


def servers_get_their_secrets(objects):
    for o in of_kind(objects, "Deployment"):
        env = {e["name"]: e for e in pod_of(o)[1]["containers"][0]["env"]}
        keys = [name for name in env if "__VAULT_KEY" in name]
        component = o["metadata"]["labels"]["app.kubernetes.io/component"]
        own = f"SIYU__{component.upper()}__VAULT_KEY"
        if (component in ("member", "order")) != (own in keys) or any(not name.startswith(own) for name in keys):
            yield f"{label(o)}: the key of the vault is for the member and the order service and no other"
        for name in ("SIYU__DATABASE__URL", "SIYU__AUTH__INTERNAL_KEY", *keys):
            if "secretKeyRef" not in env.get(name, {}).get("valueFrom", {}):
                yield f"{label(o)}: {name} comes from no Secret"


def autoscaled_has_no_replicas(objects):
    scaled = {o["spec"]["scaleTargetRef"]["name"] for o in of_kind(objects, "HorizontalPodAutoscaler")}
    for o in of_kind(objects, "Deployment"):
        if ("replicas" in o["spec"]) == (o["metadata"]["name"] in scaled):
            yield f"{label(o)}: replicas and autoscaler"


def probes_reach_an_open_port(objects):
    for o in of_kind(objects, "Deployment"):
        server = pod_of(o)[1]["containers"][0]
        names = {p["name"] for p in server["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if server[probe]["httpGet"]["port"] not in names:
                yield f"{label(o)}: {probe}"


def edges_are_the_same_everywhere(objects):
    """A peer in a configuration is a caller in that peer's network policy, and the other way round."""
    enabled = {o["metadata"]["labels"]["app.kubernetes.io/component"] for o in of_kind(objects, "Deployment")}
    calls, admits = set(), set()
    for o in of_kind(objects, "ConfigMap"):
        me, config = o["metadata"]["labels"]["app.kubernetes.io/component"], tomllib.loads(o["data"]["siyu.toml"])
        for peer, url in config.get("peers", {}).items():
            services = {s["metadata"]["name"] for s in of_kind(objects, "Service")}
            if peer in enabled:
                calls.add((me, peer))
                if url.removeprefix("http://").split(".")[0] not in services:
                    yield f"{label(o)}: peer {peer} at {url} is no Service"
    policies = of_kind(objects, "NetworkPolicy")
    for o in policies:
        me = o["metadata"]["labels"]["app.kubernetes.io/component"]
        for rule in o["spec"]["ingress"]:
            for peer in rule.get("from", []):
                for e in peer.get("podSelector", {}).get("matchExpressions", []):
                    admits |= {(caller, me) for caller in e["values"] if caller in enabled}
    if policies and calls != admits:
        yield f"called but not admitted: {calls - admits}; admitted but not called: {admits - calls}"


RULES = [names_are_unique_and_fit, nothing_is_left_unrendered, labels_select, ports_are_named,
         environment_names_are_unique, pods_are_restricted, servers_get_their_secrets, autoscaled_has_no_replicas,
         probes_reach_an_open_port, edges_are_the_same_everywhere]
