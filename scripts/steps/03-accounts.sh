#!/usr/bin/env bash
# Step 3: accounts leaves. A session becomes a signed token at the gateway, and everybody checks it alone.
#
# It signs in at step 2, if the data do not stand higher yet, climbs, and goes on with the same session. With --live that
# session lives through a switch, a rollback and a switch.
set -euo pipefail
step=3
. "$(dirname "$0")/parts.sh"

# session_of_step_2 prints the token of a session that began at step 2, and ends the lab. Its status is 1 if step 2 does
# not start.
session_of_step_2() (
  built=$(mktemp -d)
  trap stop EXIT
  trap 'exit 130' INT TERM
  start 2 "$@" >&2
  sign_in || exit 3
  shop GET /v1/accounts/me >&2 || exit 3
  echo >&2
  echo "$token"
)

if [[ $live ]]; then
  start 2 "$@"
  sign_in
  session=$token
  leave
else
  session=$(session_of_step_2 "$@") || [[ $? == 1 ]]
  onwards=() # step 2 has obeyed --fresh
  for flag; do [[ $flag == --fresh ]] || onwards+=("$flag"); done
  climb ${onwards[@]+"${onwards[@]}"}
fi
look

if [[ $session ]]; then
  say 'nobody was logged out: the session of step 2 is good at accounts, and for a cart of the trunk'
  token=$session
else
  say 'the data stood at step 3 already, so this is a new session: it is good at accounts, and for a cart of the trunk'
  sign_in
fi
shop GET /v1/accounts/me
echo
shop GET /v1/cart
echo
sql -c "select left(encode(s.token_hash, 'hex'), 12) || '…' as hash_of_the_token, a.email, s.created_at,
    to_regclass('monolith.sessions') is null as trunk_has_no_sessions
  from accounts.sessions s join accounts.accounts a on a.id = s.account_id
  where s.token_hash = sha256(convert_to('$token', 'UTF8'))"

# to_trunk sends a token to the trunk itself, past the gateway, and prints the status.
to_trunk() { curl -sS -o /dev/null -w '%{http_code}' "$(address trunk)/v1/cart" -H "Authorization: Bearer $1"; }

say 'behind the gateway the same token opens no door'
echo "the trunk itself answers $(to_trunk "$token")"
[[ $(to_trunk "$token") == 401 ]]

# A signed token is three texts in base64url, joined by dots: header, claims, signature.
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
claims() {
  local part
  part=$(cut -d . -f 2 <<<"$1" | tr -- '-_' '+/')
  while ((${#part} % 4)); do part+='='; done
  openssl base64 -d -A <<<"$part"
}

# as_gateway prints a token by which accounts takes the caller for the gateway, whose key the lab keeps.
as_gateway() {
  local now key=$built/gateway.der head body
  now=$(date +%s)
  { # an Ed25519 key in PKCS #8 is these 16 bytes and the seed
    printf '\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040'
    sed -n '/"seeds"/,/}/s/.*"gateway": "\([^"]*\)".*/\1/p' "$LAB_DIR/secrets.json" | openssl base64 -d -A
  } >"$key"
  head=$(printf '{"alg":"EdDSA","typ":"service+jwt"}' | base64url)
  body=$(printf '{"iss":"gateway","aud":"accounts","iat":%d,"exp":%d}' "$now" $((now + 60)) | base64url)
  printf %s "$head.$body" >"$built/unsigned"
  openssl pkeyutl -sign -rawin -keyform DER -inkey "$key" -in "$built/unsigned" -out "$built/signature" 2>/dev/null || return
  echo "$head.$body.$(base64url <"$built/signature")"
}
exchange() {
  curl -sS "$(address accounts)/internal/v1/sessions/exchange" ${1:+-H "Authorization: Bearer $1"} \
    -H 'Content-Type: application/json' -d "{\"token\":\"$token\"}"
}

say 'accounts exchanges a session for nobody but the gateway'
exchange ''
echo

say 'what the gateway gets for that session: the claims of the signed token'
if gateways=$(as_gateway); then
  signed=$(exchange "$gateways" | member token)
  claims "$signed"
  echo
  echo "the trunk answers $(to_trunk "$signed") to this one, and asks nobody about it"
  [[ $(to_trunk "$signed") == 200 ]]
else
  echo "Not shown: this openssl does not sign with Ed25519 keys ($(openssl version))."
fi

say 'the keys that check a signed token'
curl -sS --fail-with-body "$(address accounts)/internal/v1/keys"
echo

prove
