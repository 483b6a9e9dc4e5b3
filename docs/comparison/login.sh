#!/bin/sh
# Prints an administrator's token of the privacyIDEA at a port.
curl -sS --fail "http://127.0.0.1:$1/auth" -d username=admin --data-urlencode "password@$DIR/admin-password" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["result"]["value"]["token"])'
