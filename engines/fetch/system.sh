#!/usr/bin/env bash
# Installs what a plain Debian 12 lacks to build and run Echolot, as root or with
# sudo. What is there already, by whatever way it came, is left alone; with
# nothing missing the script touches neither apt nor sudo.
#
#   system.sh [test|deep]    with `test`: also what only the tests need; with `deep`: what fetching libtorch needs
set -euo pipefail

say() { printf 'system: %s\n' "$*" >&2; }
die() {
    printf 'system: error: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

missing=()
need_command() { # COMMAND PACKAGE
    command -v "$1" >/dev/null || missing+=("$2")
}
need_package() { # PACKAGE: libraries and data, which leave no command behind
    dpkg-query --show --showformat='${Status}' "$1" 2>/dev/null | grep -q 'ok installed' || missing+=("$1")
}

java_major() { # 0 where there is no Java; "1.8.0" counts as 1, which is too old all the same
    local banner
    banner=$(java -version 2>&1 || true)
    [[ $banner =~ version\ \"([0-9]+) ]] && echo "${BASH_REMATCH[1]}" || echo 0
}

npm_major() {
    local version
    version=$(npm --version 2>/dev/null || true)
    [[ $version =~ ^([0-9]+)\. ]] && echo "${BASH_REMATCH[1]}" || echo 0
}

command -v dpkg-query >/dev/null || die "this is not a Debian system" \
    "Install by hand: a C and C++ compiler, make, cmake, pkg-config, the headers of OpenSSL, curl and zlib," \
    "Java 17 or newer, Maven, Node.js with npm 8 or newer, curl, zstd and Python 3."

need_command cc build-essential
need_command c++ build-essential
need_command make build-essential
need_command cmake cmake
need_command pkg-config pkg-config
need_command curl curl
need_command zstd zstd
need_command python3 python3
need_command mvn maven
need_command node nodejs
need_package ca-certificates
need_package libssl-dev
need_package zlib1g-dev
need_package libcurl4-openssl-dev # librdkafka reads its header wherever TLS is on
[ "$(java_major)" -ge 17 ] || missing+=(openjdk-17-jre-headless)
if ! command -v npm >/dev/null; then
    missing+=(npm)
elif [ "$(npm_major)" -lt 8 ]; then
    die "npm $(npm --version) is too old, Echolot needs 8 or newer" "Its path is $(command -v npm): update it, or remove it so that Debian's is used."
fi

case ${1:-} in
'') ;;
test)
    need_command promtool prometheus
    need_command amtool prometheus-alertmanager
    need_command docker-compose docker-compose
    need_command chromium chromium
    need_package fonts-dejavu-core
    need_package fonts-noto-color-emoji
    need_package python3-yaml
    ;;
deep)
    python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
    need_command nm binutils
    ;;
*) die "unknown argument: $1" "usage: system.sh [test|deep]" ;;
esac

[ ${#missing[@]} -gt 0 ] || exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
say "installing ${missing[*]}"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing: ${missing[*]}" \
        "Run as root: apt-get update && apt-get install --yes ${missing[*]}"
    as_root=(sudo)
fi
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >&2
}

apt update -qq
# The tests start the servers they need; RUNLEVEL=1 keeps the packages' own
# services (prometheus, alertmanager) from being started by their installation.
apt install --yes --no-install-recommends "${missing[@]}"

[ "$(java_major)" -ge 17 ] || die "Java $(java_major) comes first on PATH, Echolot needs 17 or newer" \
    "Choose the new one with: update-alternatives --config java (or set JAVA_HOME)."
[ "$(npm_major)" -ge 8 ] || die "npm 8 or newer is needed, found $(npm --version)"
