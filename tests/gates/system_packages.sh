#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# system_packages.sh base|bed|browser: see to the programs that pip cannot bring.
# As root on Debian or Ubuntu what is missing is installed; otherwise the line to run is printed.
set -euo pipefail

python=${PYTHON3:-python3}
missing=()

need() { # need PACKAGE COMMAND...: PACKAGE is missing when COMMAND fails
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

program() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1"; }

# The venv package of a distribution is named after the interpreter it belongs to.
venv_package() {
    local path
    path=$(readlink -f "$(command -v "$python")" || true)
    case $path in
        /usr/bin/python3.*) echo "${path##*/}-venv" ;;
        *) echo python3-venv ;;
    esac
}

case ${1:-} in
    base)
        need "$(venv_package)" "$python" -c 'import ensurepip, venv'
        need git program git
        need openssl program openssl
        need ca-certificates test -s /etc/ssl/certs/ca-certificates.crt -o -s /etc/pki/tls/certs/ca-bundle.crt
        ;;
    bed)
        need iproute2 program ip
        need nftables program nft
        need util-linux program unshare
        need procps program ps
        need curl program curl
        need openssh-client program ssh
        need openssh-server program sshd
        ;;
    browser) # 300 MB with what it needs, so that only `make browser` asks for it
        browser() { [[ -n ${WGE_TEST_CHROMIUM:-} ]] || program chromium-headless-shell || program chromium || program google-chrome; }
        need chromium-headless-shell browser
        need fonts-dejavu-core test -d /usr/share/fonts/truetype/dejavu
        ;;
    *)
        echo "usage: ${0##*/} base|bed|browser" >&2
        exit 2
        ;;
esac

((${#missing[@]})) || exit 0

if ! command -v apt-get >/dev/null; then
    echo "These programs are missing (by their names in Debian): ${missing[*]}. Install them and call make again." >&2
    exit 1
fi
if ((EUID != 0)); then
    echo "Packages are missing. Run this line, then make again:" >&2
    echo "  sudo apt-get update && sudo apt-get install --no-install-recommends -y ${missing[*]}" >&2
    exit 1
fi
echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${missing[@]}" </dev/null
