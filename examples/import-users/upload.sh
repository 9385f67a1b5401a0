#!/bin/sh
# Uploads a CSV file of users as the input of the migration `import-users`:
#   RUNNER_URL=http://127.0.0.1:9090 RUNNER_TOKEN=rnr_... ./upload.sh users.csv
# The file itself is the key: within a day the same file again is the same run, and nothing is imported twice. On this host,
# without tokens in the config file, RUNNER_TOKEN may be left out. It goes by a pipe: arguments are seen by all who list processes.
set -eu
printf '%s' "${RUNNER_TOKEN:+Authorization: Bearer $RUNNER_TOKEN}" | curl --fail-with-body --silent --show-error \
  "${RUNNER_URL:-http://127.0.0.1:9090}/v1/jobs/import-users" \
  --header @- \
  --header "Idempotency-Key: $(sha256sum < "$1" | cut -c 1-64)" \
  --form "users=@\"$1\";type=text/csv"
