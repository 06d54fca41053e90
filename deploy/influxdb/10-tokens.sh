#!/bin/bash
# Runs once, when InfluxDB is set up: a token for each role, into files that the role's container alone is given.
#   core     writes and reads the bucket
#   page     writes (diary, goals) and reads the bucket
#   grafana  reads the bucket, and nothing else; as the header that Grafana sends
# For a further clinic the same script is run by hand: docs/clinic.md.
set -euo pipefail
umask 077
bucket=${1:-$DOCKER_INFLUXDB_INIT_BUCKET}
prefix=${2:-}
org=$DOCKER_INFLUXDB_INIT_ORG
token=$(cat "$DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE")

if ! influx bucket list --org "$org" --token "$token" --name "$bucket" > /dev/null 2>&1; then
    influx bucket create --org "$org" --token "$token" --name "$bucket" > /dev/null
fi
id=$(influx bucket list --org "$org" --token "$token" --name "$bucket" --hide-headers | cut -f1)

new_token() { # what it may do, and what it is for
    local made
    made=$(influx auth create --org "$org" --token "$token" --description "$bucket $1" "${@:2}" --json)
    [[ $made =~ \"token\":\ *\"([^\"]+)\" ]] && printf '%s' "${BASH_REMATCH[1]}"
}
# the files are there already, empty: they are mounted one by one
new_token core --read-bucket "$id" --write-bucket "$id" > "/run/tokens/${prefix}core"
new_token page --read-bucket "$id" --write-bucket "$id" > "/run/tokens/${prefix}page"
printf 'Token %s' "$(new_token grafana --read-bucket "$id")" > "/run/tokens/${prefix}grafana"
