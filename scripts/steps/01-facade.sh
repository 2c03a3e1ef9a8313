#!/usr/bin/env bash
# Step 1: the gateway goes in front, and nothing else changes.
set -euo pipefail
step=1
. "$(dirname "$0")/parts.sh"
climb "$@"
look

ops() { sed -n '/"name": "'"$1"'"/,/}/s/.*"ops_url": "\([^"]*\)".*/\1/p' "$LAB_DIR/state.json"; }
sent() { curl -sS --fail-with-body "$(ops gateway)/metrics" | grep '^gateway_requests_total{route="/v1/accounts"}'; }

say 'the same question to the trunk and to the gateway in front of it: the same answer'
sign_in
direct=$(curl -sS --fail-with-body "$(address trunk)/v1/accounts/me" -H "Authorization: Bearer $token")
before=$(sent)
through=$(shop GET /v1/accounts/me)
echo "$through"
[[ $direct == "$through" ]]

say 'only the second passed the gateway, which counts what it sends on'
printf 'before  %s\nafter   %s\n' "$before" "$(sent)"
[[ $before != "$(sent)" ]]

say 'the gateway passes the token as it came: it is a session of the trunk'
sql -c "select count(*) as sessions_of_the_token from monolith.sessions where token_hash = sha256(convert_to('$token', 'UTF8'))"

say 'a path that no route knows is the gateway'"'"'s own to answer, and it says what the trunk would say'
ask() { curl -sS -w ' (%{http_code})' "$1/v1/nothing"; }
ask "$gateway"; echo
ask "$(address trunk)"; echo
[[ $(ask "$gateway") == "$(ask "$(address trunk)")" ]]

prove
