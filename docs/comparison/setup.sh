#!/bin/sh
# Installs privacyIDEA and makes the databases and configurations of both servers. In $DIR, empty;
# $POSTGRES is the address of a PostgreSQL for a super-user, without a database's name.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=3.14
cd "$DIR"

# Installation from the Python Package Index: first the dependencies that its release was tested
# with, by the list in the package itself, then the package.
python3 -m venv venv
venv/bin/pip download --no-deps "privacyidea==$version"
unzip -p "privacyidea-$version-py3-none-any.whl" '*/lib/privacyidea/requirements.txt' > requirements.txt
venv/bin/pip install --require-hashes -r requirements.txt
venv/bin/pip install "privacyidea[postgres]==$version" gunicorn==27.0.1

# Its configuration, keys, tables and administrator.
random() { tr -dc A-Za-z0-9_ < /dev/urandom | head -c 24; }
cp "$here/pi.cfg" pi.cfg
echo "PI_PEPPER = '$(random)'" >> pi.cfg
echo "SECRET_KEY = '$(random)'" >> pi.cfg
cat pi.cfg "$here/pi-tuned.cfg" > pi-tuned.cfg
random > admin-password
psql "$POSTGRES/postgres" -c 'CREATE DATABASE pi'
export PRIVACYIDEA_CONFIGFILE="$DIR/pi.cfg" PI_DATABASE="postgresql+psycopg2${POSTGRES#postgres}/pi"
venv/bin/pi-manage setup create_enckey
venv/bin/pi-manage setup create_audit_keys
venv/bin/pi-manage setup create_tables
venv/bin/pi-manage admin add admin -p "$(cat admin-password)"

# Warifu.
for name in few many; do psql "$POSTGRES/postgres" -c "CREATE DATABASE warifu_$name"; done
warifu() {
    mkdir -p "warifu-$1"
    sed -e "s|DIR|$DIR|; s|NAME|$1|; s|9PORT|$3|; s|PORT|$2|" -e "$4" "$here/warifu.toml" > "warifu-$1.toml"
    "$WARIFU" migrate --config "warifu-$1.toml"
}
warifu few 5011 5012 "s|DATABASE|$POSTGRES/warifu_few|"
warifu many 5021 5022 "s|DATABASE|$POSTGRES/warifu_many|"
warifu sqlite 5031 5032 "/^database/d"

# What the measuring reads.
cp "$here/load.toml" "$here/../../xtask/adapters/privacyidea.toml" .
for name in few many sqlite; do
    sed "s|WARIFU_API_KEY|KEY_$name|" "$here/../../xtask/adapters/warifu.toml" > "adapter-$name.toml"
done
psql "$POSTGRES/postgres" -Atc 'SHOW data_directory' | sed 's|$|/postmaster.pid|' > postmaster
ln -s "$(cat postmaster)" postgresql.pid
