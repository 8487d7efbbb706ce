#!/bin/sh
# Makes the secrets that compose.yaml mounts: secrets.sh [FOLDER], by default docker/secrets.
# What is there already stays as it is; delete a file and run this again to change that secret.
#
# The files are readable for all, because each container reads them as a user of its own; the folder
# is not, so that on the host nobody but its owner gets at them.
set -eu

folder=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$folder"
chmod 700 "$folder"

random() { head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

for name in author_key clickhouse_analyst clickhouse_application grafana_admin kafka_password push_forum; do
    [ -s "$folder/$name" ] || random >"$folder/$name"
    chmod 444 "$folder/$name"
done

sha256() { sha256sum "$folder/$1" | cut -d ' ' -f 1; }

# ClickHouse gets hashes alone. Always written anew, so that it fits the two passwords.
rm -f "$folder/clickhouse_users"
cat >"$folder/clickhouse_users" <<XML
<clickhouse>
    <application_sha256>$(sha256 clickhouse_application)</application_sha256>
    <analyst_sha256>$(sha256 clickhouse_analyst)</analyst_sha256>
</clickhouse>
XML
chmod 444 "$folder/clickhouse_users"
