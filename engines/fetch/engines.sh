#!/usr/bin/env bash
# Installs the embedded engines, Apache Kafka and ClickHouse, into a cache
# outside the clone. Safe to run again (it does nothing when all is there) and
# safe to run twice at once (the second waits for the first).
#
#   engines.sh [kafka] [clickhouse]     without arguments: both
#
# Layout, which src/install.rs reads:
#   $ECHOLOT_ENGINES/kafka/<version>/*.jar
#   $ECHOLOT_ENGINES/kafka/<version>.jsa
#   $ECHOLOT_ENGINES/clickhouse/<version>/libchdb.so
# An engine's folder appears by one rename, after its checksums were found right:
# a folder that is there is whole.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=versions.env
. "$here/versions.env"

home=${ECHOLOT_ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/echolot/engines}
stage=$home/.fetch
kafka_dir=$home/kafka/$KAFKA_VERSION
clickhouse_dir=$home/clickhouse/$CLICKHOUSE_VERSION
fetcher=

say() { printf 'engines: %s\n' "$*" >&2; }
die() {
    printf 'engines: error: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

require_tool() { # TOOL
    command -v "$1" >/dev/null || die "\`$1\` is not installed" \
        "On Debian, $here/system.sh installs what is missing (as root or with sudo)."
}

require_platform() {
    local platform
    platform="$(uname -s) $(uname -m)"
    [ "$platform" = "Linux x86_64" ] || die "the embedded engines run on Linux x86_64 only, this is $platform" \
        "Point Echolot at running engines instead: kafka.brokers and clickhouse.url in the" \
        "configuration file, or ECHOLOT__KAFKA__BROKERS=host:port ECHOLOT__CLICKHOUSE__URL=http://host:8123"
}

require_space() { # MEBIBYTES
    local free
    free=$(df --output=avail -m "$home" | tail -n 1)
    [ "$free" -ge "$1" ] || die "$home has $free MiB free, the fetch needs $1 MiB" \
        "Free some space, or set ECHOLOT_ENGINES to a folder on a larger disk."
}

# Neither npm nor Maven reports progress that survives a pipe, so the bytes are
# counted where they arrive: FOLDER grows while the background process PID runs.
show_progress() { # LABEL TOTAL_BYTES FOLDER PID
    local label=$1 total=$2 folder=$3 pid=$4 bytes rate left seconds start=$SECONDS pause=5 last=-1
    [ -t 2 ] && pause=1
    while kill -0 "$pid" 2>/dev/null; do
        seconds=$((SECONDS - start))
        if [ $((seconds % pause)) -eq 0 ] && [ "$seconds" -ne "$last" ] && [ "$seconds" -gt 0 ]; then
            last=$seconds
            bytes=$(du -sb -- "$folder" 2>/dev/null | cut -f1) || true
            bytes=${bytes:-0}
            [ "$bytes" -le "$total" ] || bytes=$total
            rate=$((bytes / seconds))
            left="?"
            [ "$rate" -lt 10000 ] || left=$(((total - bytes) / rate))
            progress_line "$(printf '%s %3d %% of %d MB, %d.%d MB/s, %s s left' "$label" $((bytes * 100 / total)) \
                $((total / 1000000)) $((rate / 1000000)) $((rate / 100000 % 10)) "$left")"
        fi
        sleep 0.2
    done
    [ ! -t 2 ] || printf '\r\033[K' >&2
}

progress_line() { # TEXT: one line redrawn on a terminal, one line each elsewhere
    if [ -t 2 ]; then printf '\r\033[Kengines: %s' "$1" >&2; else say "$1"; fi
}

# Runs COMMAND in FOLDER in the background and shows how FOLDER grows.
# Its output goes to LOG, its exit status is the function's.
fetch_into() { # LABEL TOTAL_BYTES FOLDER LOG COMMAND...
    local label=$1 total=$2 folder=$3 log=$4 status=0
    shift 4
    (cd "$folder" && exec "$@") >"$log" 2>&1 </dev/null 9>&- &
    fetcher=$!
    show_progress "$label" "$total" "$folder" "$fetcher"
    wait "$fetcher" || status=$?
    fetcher=
    return "$status"
}

# The client's own words, short, beside what to do about them.
die_unfetched() { # LOG WHAT REGISTRY WAY_OUT...
    local log=$1 what=$2 registry=$3
    shift 3
    grep -E 'ERROR|npm (error|ERR!)' "$log" | grep -v '    at ' | cut -c1-300 | head -n 6 >&2 || true
    die "$what could not be fetched: is $registry within reach?" \
        "Maven and npm follow their usual settings (~/.m2/settings.xml, ~/.npmrc) for mirrors and proxies." \
        "The whole output is in $log" "$@"
}

install_kafka() {
    [ ! -d "$kafka_dir" ] || return 0
    require_tool java
    require_tool mvn
    require_space 250
    local maven=$stage/maven jars=$stage/kafka-jars log=$stage/maven.log started=$SECONDS
    say "fetching Apache Kafka $KAFKA_VERSION"
    rm -rf "$jars"
    mkdir -p "$maven" "$jars"
    # A repository of its own, kept until the fetch is whole: an interrupted
    # fetch goes on, and the folder's growth is the progress.
    fetch_into "Apache Kafka" "$KAFKA_FETCH_BYTES" "$maven" "$log" \
        mvn --batch-mode --file "$here/pom.xml" \
        -Dkafka.version="$KAFKA_VERSION" -Dlog4j.version="$KAFKA_LOG4J_VERSION" \
        -Dmaven.repo.local="$maven" -Dmaven.wagon.rto=60000 -Dmaven.wagon.http.retryHandler.count=3 \
        org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$jars" ||
        die_unfetched "$log" "Apache Kafka $KAFKA_VERSION" "the Maven registry" \
            "Without it, point Echolot at a running broker: kafka.brokers in the configuration file," \
            "or ECHOLOT__KAFKA__BROKERS=host:port"
    verify_jars "$jars" || die "the Kafka jars are not the pinned ones (see kafka.sha256 and the lines above)" \
        "They were left in $jars and are not used."
    install_folder "$jars" "$kafka_dir"
    rm -rf "$maven"
    say "Apache Kafka $KAFKA_VERSION installed in $((SECONDS - started)) s"
}

# Runs the broker once, on the jars in their final place, to archive the classes
# it loads (Java's "application class data sharing"): it then starts in about half
# the time. Java itself ignores an archive that does not fit, so a failure here
# costs only that.
archive_kafka_classes() {
    local archive=$home/kafka/$KAFKA_VERSION.jsa
    [ ! -f "$archive" ] || return 0
    require_tool java
    local run=$stage/kafka-run log=$stage/kafka-run/kafka.log port=$((20000 + RANDOM % 6000 * 2)) tries=0 broker
    say "archiving Kafka's classes for faster starts"
    rm -rf "$run"
    mkdir -p "$run"
    sed -e "s|@LOG@|$log|" "$here/../src/kafka/log4j2.properties" >"$run/log4j2.properties"
    sed -e "s|@DATA@|$run/data|" -e "s|@BROKER_PORT@|$port|" -e "s|@CONTROLLER_PORT@|$((port + 1))|" \
        -e "s|@MESSAGE_MAX_BYTES@|1048576|" "$here/../src/kafka/server.properties" >"$run/server.properties"
    local java=(java -Xmx256m -XX:+UseG1GC -Djava.awt.headless=true
        "-Dlog4j2.configurationFile=$run/log4j2.properties" -cp "$kafka_dir/*")
    "${java[@]}" kafka.tools.StorageTool format --cluster-id AAAAAAAAAAAAAAAAAAAAAA \
        --config "$run/server.properties" >"$run/format.log" 2>&1 || true
    "${java[@]}" -XX:ArchiveClassesAtExit="$run/classes.jsa" kafka.Kafka "$run/server.properties" \
        >"$run/output.log" 2>&1 </dev/null 9>&- &
    fetcher=$!
    broker=$fetcher
    until grep -qs 'Kafka Server started' "$log" || [ "$tries" -ge 600 ] || ! kill -0 "$broker" 2>/dev/null; do
        tries=$((tries + 1))
        sleep 0.1
    done
    kill -TERM "$broker" 2>/dev/null || true
    wait "$broker" || true
    fetcher=
    if [ -s "$run/classes.jsa" ]; then
        mv -- "$run/classes.jsa" "$archive"
        rm -rf "$run"
    else
        say "warning: no class archive was written, Kafka will start slower; see $run"
    fi
}

# Every listed jar with its checksum, and no jar besides.
verify_jars() { # FOLDER
    (cd "$1" && sha256sum --quiet --strict --check "$here/kafka.sha256" >&2) || return 1
    diff <(cut -c67- "$here/kafka.sha256" | LC_ALL=C sort) <(cd "$1" && LC_ALL=C ls) >&2
}

install_clickhouse() {
    [ ! -d "$clickhouse_dir" ] || return 0
    require_tool npm
    require_space 1200
    local pack=$stage/npm unpacked=$stage/clickhouse log=$stage/npm.log started=$SECONDS archive
    say "fetching ClickHouse $CLICKHOUSE_VERSION"
    rm -rf "$pack" "$unpacked"
    mkdir -p "$pack/cache" "$unpacked"
    fetch_into "ClickHouse" "$CLICKHOUSE_TGZ_BYTES" "$pack" "$log" \
        npm pack "@chdb/lib-linux-x64-gnu@$CLICKHOUSE_VERSION" --cache="$pack/cache" \
        --fetch-timeout=60000 --fetch-retries=3 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000 ||
        die_unfetched "$log" "ClickHouse $CLICKHOUSE_VERSION" "the npm registry" \
            "Without it, point Echolot at a running server: clickhouse.url in the configuration file," \
            "or ECHOLOT__CLICKHOUSE__URL=http://host:8123"
    archive=$(find "$pack" -maxdepth 1 -name '*.tgz')
    printf '%s  %s\n' "$CLICKHOUSE_TGZ_SHA256" "$archive" | sha256sum --quiet --strict --check >&2 ||
        die "the ClickHouse package is not the pinned one" "expected sha256 $CLICKHOUSE_TGZ_SHA256 for $archive"
    say "unpacking ClickHouse (566 MB)"
    tar --extract --gzip --no-same-owner --file="$archive" --directory="$unpacked" --strip-components=1 package/libchdb.so
    rm -rf "$pack"
    install_folder "$unpacked" "$clickhouse_dir"
    say "ClickHouse $CLICKHOUSE_VERSION installed in $((SECONDS - started)) s"
}

install_folder() { # FROM TO: on one file system, so the rename is atomic
    mkdir -p "$(dirname -- "$2")"
    sync -f "$1"
    mv --no-target-directory -- "$1" "$2"
}

stop_fetcher() { [ -z "$fetcher" ] || kill "$fetcher" 2>/dev/null || true; }
trap stop_fetcher EXIT
trap 'exit 130' INT TERM

require_platform
mkdir -p "$stage"
exec 9>"$home/.lock"
if ! flock --nonblock 9; then
    say "another fetch is running, waiting for it"
    flock 9
fi

[ $# -gt 0 ] || set -- kafka clickhouse
for engine in "$@"; do
    case $engine in
    kafka)
        install_kafka
        archive_kafka_classes
        ;;
    clickhouse) install_clickhouse ;;
    *) die "unknown engine: $engine" "usage: engines.sh [kafka] [clickhouse]" ;;
    esac
done
