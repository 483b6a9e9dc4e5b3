#!/bin/sh
# The race test against all of them, after the load. "Used" tokens are those of the load: each had
# a code accepted before. race.sh ROUNDS LOCK_ROUNDS at privacyIDEA; ten times as many at Warifu.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$DIR"
xtask=${XTASK:-cargo run --quiet --release --manifest-path $root/Cargo.toml -p xtask --}
{
    sed '/^\[provision\]/,$d' privacyidea.toml
    printf '[provision]\nkind = "file"\npath = "privacyidea.txt"\nencoding = "hex"\n\n'
    sed -n '/^\[validate\]/,$p' privacyidea.toml
} > privacyidea-used.toml
race() {
    echo "== $1: $(date)"
    # It ends with 1 when a server did not keep what the test asks for.
    $xtask race --adapter "$2" --rounds "$4" --lock-rounds "$5" "$3" || true
}
race "Warifu, PostgreSQL" adapter-few.toml http://127.0.0.1:5011 "${1}0" "${2}0"
race "Warifu, SQLite" adapter-sqlite.toml http://127.0.0.1:5031 "${1}0" "${2}0"
race "privacyIDEA, as installed, used tokens" privacyidea-used.toml http://127.0.0.1:5001 "$1" "$2"
race "privacyIDEA, tuned, used tokens" privacyidea-used.toml http://127.0.0.1:5002 "$1" "$2"
PRIVACYIDEA_TOKEN=$("$root/docs/comparison/login.sh" 5001)
export PRIVACYIDEA_TOKEN
race "privacyIDEA, as installed, new tokens" privacyidea.toml http://127.0.0.1:5001 "$1" "$2"
PRIVACYIDEA_TOKEN=$("$root/docs/comparison/login.sh" 5006)
export PRIVACYIDEA_TOKEN
race "privacyIDEA, as installed, MariaDB, new tokens" privacyidea.toml http://127.0.0.1:5006 "$1" "$2"
