#!/bin/sh
# Starts one server in $DIR and waits until it answers: start.sh default|tuned|few|many|sqlite
set -eu
cd "$DIR"
ready() {
    until curl -so /dev/null "$1"; do sleep 0.2; done
}
privacyidea() {
    export PRIVACYIDEA_CONFIGFILE="$DIR/$2" PI_DATABASE="postgresql+psycopg2${POSTGRES#postgres}/$3"
    name=$1 port=$4
    shift 4
    venv/bin/gunicorn --bind "127.0.0.1:$port" --worker-tmp-dir /dev/shm --pid "$name.pid" \
        --no-control-socket --daemon --error-logfile "$name.log" "$@" \
        'privacyidea.app:create_app(config_name="production", silent=True)'
    ready "http://127.0.0.1:$port/"
}
warifu() {
    "$WARIFU" serve --config "warifu-$1.toml" > "warifu-$1.log" 2>&1 &
    echo $! > "warifu-$1.pid"
    ready "http://127.0.0.1:$2/v1/time"
    test -s "warifu-$1.key" || "$WARIFU" relying-party add comparison --config "warifu-$1.toml" > "warifu-$1.key"
}
case $1 in
    # As many workers as its container image starts on two cores.
    default) privacyidea pi pi.cfg pi 5001 --workers 4 ;;
    tuned) privacyidea pi-tuned pi-tuned.cfg pi_tuned 5002 --workers 4 ;;
    few) warifu few 5011 ;;
    many) warifu many 5021 ;;
    sqlite) warifu sqlite 5031 ;;
esac
