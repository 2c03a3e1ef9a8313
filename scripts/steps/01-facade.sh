#!/usr/bin/env bash
# Step 1: the gateway goes in front, and nothing else changes.
set -euo pipefail
step=1
. "$(dirname "$0")/parts.sh"
climb "$@"
look

say 'the same question to the trunk and to the gateway in front of it: the same answer'
sign_in
direct=$(curl -sS --fail-with-body "$(address trunk)/v1/accounts/me" -H "Authorization: Bearer $token")
through=$(shop GET /v1/accounts/me)
echo "$through"
[[ $direct == "$through" ]]

prove
