#!/bin/sh
# Makes the product's own role and database: a plain role, which owns its database and nothing else.
# Run once by the image's entry point, after its own 10_postgis.sh.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set password="$DATABASE_PASSWORD" <<'SQL'
CREATE ROLE tracker LOGIN PASSWORD :'password';
CREATE DATABASE tracker OWNER tracker;
SQL
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname tracker --command 'CREATE EXTENSION postgis'
