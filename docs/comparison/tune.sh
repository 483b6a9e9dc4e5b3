#!/bin/sh
# After the enrolment: a copy of privacyIDEA's database for "tuned", with the policy that its page on
# performance names.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/stop.sh" pi
psql "$POSTGRES/postgres" -c 'CREATE DATABASE pi_tuned TEMPLATE pi'
"$here/start.sh" default
"$here/start.sh" tuned
curl -sS --fail -H "Authorization: $("$here/login.sh" 5002)" http://127.0.0.1:5002/policy/no_detail \
    -d scope=authorization -d action=no_detail_on_success -d active=true
