"""The table of values in the chart's README, made from the comments of values.yaml.

A key is described by the comment right above it; a key that holds keys with comments is a heading and needs none.
"""

import re

import yaml

KEY = re.compile(r"^( *)([A-Za-z]\w*):")
BEGIN, END = "<!-- values: begin -->", "<!-- values: end -->"


def described(text):
    """{path: description} of the commented keys, in the order of the file."""
    found, stack, comment = {}, [], []
    for line in text.splitlines():
        if line.strip().startswith("#"):
            comment.append(line.strip().lstrip("# "))
            continue
        if key := KEY.match(line):
            depth = len(key[1]) // 2
            stack = stack[:depth] + [key[2]]
            # A heading's comment is separated from its first key by being the heading's own.
            if comment:
                found[".".join(stack)] = " ".join(comment)
        comment = []
    return found


def leaves(values, found, path=""):
    """The paths that the table must have: down to the first key that has a description or no keys of its own."""
    for key, value in values.items():
        here = f"{path}.{key}".lstrip(".")
        below = any(other.startswith(here + ".") for other in found)
        if isinstance(value, dict) and value and below:
            yield from leaves(value, found, here)
        else:
            yield here, value


def table(text):
    """The table, and the keys that nothing describes."""
    values, found = yaml.safe_load(text), described(text)
    rows, missing = ["| key | default | meaning |", "| --- | --- | --- |"], []
    for path, value in leaves(values, found):
        if path not in found:
            missing.append(path)
            continue
        rows.append(f"| `{path}` | `{short(value)}` | {found[path].replace('|', chr(92) + '|')} |")
    return "\n".join(rows), missing


def short(value):
    """A default on one line, as YAML would take it."""
    if isinstance(value, str):
        return value or '""'
    return yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False).splitlines()[0]


def in_readme(readme, text):
    """The README with its table made anew, and the keys that nothing describes."""
    rows, missing = table(text)
    head, rest = readme.split(BEGIN)
    return f"{head}{BEGIN}\n{rows}\n{END}{rest.split(END)[1]}", missing
