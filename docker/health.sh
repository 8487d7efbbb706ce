#!/bin/bash
# Is the role of this container well? health.sh [PATH]: /live (default) or /ready.
# Exit status 0 for an answer of 200 within three seconds. Bash itself speaks the little HTTP that
# this takes, so that the image needs no HTTP client.
set -euo pipefail

path=${1:-/live}
port=${ECHOLOT__TELEMETRY__LISTEN##*:}

exec 3<>"/dev/tcp/127.0.0.1/${port:-9464}"
printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$path" >&3
read -r -t 3 _ status _ <&3
if [ "$status" != 200 ]; then
    # Docker keeps what is printed: it says which part is stuck.
    timeout 1 cat <&3 | tail -n 5
    exit 1
fi
