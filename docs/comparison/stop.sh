#!/bin/sh
# Stops the servers in $DIR that are named by their process ID files: stop.sh pi pi-tuned warifu-few …
for name; do
    id=$(cat "$DIR/$name.pid")
    kill "$id"
    while kill -0 "$id" 2> /dev/null; do sleep 0.2; done
done
