#!/bin/sh
# Starts Mosquitto once `tracker work` has written its files, and has it read them again when they change.
set -eu

marks() { stat -c '%Y %i' /broker/passwords /broker/access 2>/dev/null || true; }

until [ -s /broker/passwords ] && [ -s /broker/access ]; do sleep 1; done
seen=$(marks)
mosquitto -c /mosquitto/config/mosquitto.conf &
broker=$!
trap 'kill -TERM "$broker"' TERM INT
while kill -0 "$broker" 2>/dev/null; do
    # In the background, so that a signal is not kept waiting.
    sleep 1 &
    wait $! || true
    now=$(marks)
    if [ "$now" != "$seen" ]; then
        seen=$now
        kill -HUP "$broker" 2>/dev/null || true
    fi
done
wait "$broker"
