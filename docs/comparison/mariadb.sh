#!/bin/sh
# A second privacyIDEA, as installed, over MariaDB, which its documentation recommends. $MARIADB is
# USER:PASSWORD@HOST:PORT/DATABASE of an empty database whose settings are MariaDB's own.
set -eu
cd "$DIR"
export PRIVACYIDEA_CONFIGFILE="$DIR/pi.cfg" PI_DATABASE="mysql+pymysql://$MARIADB"
venv/bin/pi-manage setup create_tables
venv/bin/pi-manage admin add admin -p "$(cat admin-password)"
venv/bin/gunicorn --bind 127.0.0.1:5006 --worker-tmp-dir /dev/shm --pid pi-mariadb.pid \
    --no-control-socket --daemon --error-logfile pi-mariadb.log --workers 4 \
    'privacyidea.app:create_app(config_name="production", silent=True)'
until curl -so /dev/null http://127.0.0.1:5006/; do sleep 0.2; done
