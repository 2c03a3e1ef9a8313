#!/usr/bin/env bash
# Step 3: accounts leaves. A session becomes a signed token at the gateway, and everybody checks it alone.
set -euo pipefail
step=3
. "$(dirname "$0")/parts.sh"
climb "$@"
look

say 'a session, as the customer has it, opens no door behind the gateway'
sign_in
shop GET /v1/cart
status=$(curl -sS -o /dev/null -w '%{http_code}' "$(address trunk)/v1/cart" -H "Authorization: Bearer $token")
echo "the trunk itself answers $status to the same token"
[[ $status == 401 ]]

say 'the keys that check a signed token'
curl -sS --fail-with-body "$(address accounts)/internal/v1/keys"

prove
