#!/bin/sh
# Runs once, when PostgreSQL has an empty folder. The image's own user is a superuser, which no wall between tenants binds, so Centro
# gets a role of its own.
set -eu
psql --username postgres --set ON_ERROR_STOP=1 --set password="$CENTRO_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE centro LOGIN PASSWORD :'password';
CREATE DATABASE centro OWNER centro ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0;
SQL
