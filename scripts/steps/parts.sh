# What the scripts of the steps share. Each sources it, after setting step to its number.
#
#   LAB_DIR      the folder of the lab's data, .lab-steps in the repository's root if unset
#   PORT_OFFSET  what is added to every port, 20000 if unset, so that a lab that runs is left alone
#   VERIFY       the flags of lab verify, --seeds 1 --requests 100 if unset
#
# With --live a script starts at the step before, and takes its area out of the running shop. What else is said to a
# script, such as --fresh, is said to lab up.

area=$(basename "$0" .sh)
area=${area#*-} # 03-accounts.sh: accounts
live= flags=()
for flag; do
  if [[ $flag == --live ]]; then live=yes; else flags+=("$flag"); fi
done
set -- ${flags[@]+"${flags[@]}"}

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
LAB_DIR=${LAB_DIR:-.lab-steps}
built=$(mktemp -d)
started= frozen= asking=

# stop ends what the script started, however the script ends.
stop() {
  if [[ $asking ]]; then kill "$asking" 2>/dev/null || true; fi
  if [[ $frozen ]]; then kill -CONT "$frozen" || true; fi
  if [[ $started ]]; then
    kill -TERM "$started" 2>/dev/null || true
    wait "$started" || true
  fi
  rm -rf "$built"
}
trap stop EXIT
trap 'exit 130' INT TERM

say() { printf '\n== %s\n\n' "$*"; }
lab() { "$built/lab" --dir "$LAB_DIR" "$@"; }
state() { sed -n 's/^ *"'"$1"'": "\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1/p' "$LAB_DIR/state.json"; }

# climb brings the shop to the script's step: at rest, or live from the step before.
climb() {
  if [[ $live ]] && ((step > 1)); then
    start $((step - 1)) "$@"
    leave
  else
    start "$step" "$@"
  fi
}

# start starts the lab at a step, and returns when the shop is open: STEP [FLAG...].
start() {
  local at=$1
  shift
  say "lab up --step $at"
  go build -o "$built/lab" ./scripts/lab
  "$built/lab" --dir "$LAB_DIR" up --step "$at" --port-offset "${PORT_OFFSET:-20000}" "$@" >/dev/null & # no function: its pid is the lab's
  started=$!
  until [[ $(state pid 2>/dev/null | head -1) == "$started" && $(state ready) == true ]]; do
    if ! kill -0 "$started" 2>/dev/null; then
      started=
      echo "The lab did not start. Its data may stand at a higher step: $0 --fresh begins anew." >&2
      exit 1
    fi
    sleep 0.2
  done
  gateway=$(state gateway_url)
}

# leave takes the area out of the running shop, back, and out again, and finalizes it. Somebody buys before each way, and
# one customer goes on asking for their cart: every answer has to be 200.
leave() {
  local command
  [[ ${token:-} ]] || sign_in
  ask_on >"$built/asked" &
  asking=$!
  for command in extract rollback switch finalize; do
    lab buy --only services >"$built/bought" || { cat "$built/bought"; exit 1; }
    say "lab $command $area --yes"
    lab "$command" "$area" --yes
  done
  kill "$asking"
  wait "$asking" 2>/dev/null || true
  asking=
  say "a customer with one session asked for their cart all the time"
  awk '$1 != 200 { bad++ } $2 > longest { longest = $2 }
    END { printf "%d answers, %d of them not 200; the longest took %.2f s\n", NR, bad, longest; exit bad > 0 || NR == 0 }' "$built/asked"
  say "lab report $area"
  lab report "$area"
}

# ask_on asks for the cart until it is stopped, and prints the status and the seconds of each answer.
ask_on() {
  while :; do
    curl -sS -o /dev/null -w '%{http_code} %{time_total}\n' "$gateway/v1/cart" -H "Authorization: Bearer $token"
    sleep 0.05
  done
}

# look shows what every step has: the ladder, the processes, the routes, and a purchase.
look() {
  say 'lab steps: the ladder, and where this shop stands'
  lab steps
  say 'the processes of this step'
  lab steps --json | tr '{' '\n' | sed -n 's/^"step":'"$step"',.*"processes":\[\([^]]*\)\].*/\1/p' | tr -d '"' | tr , '\n'
  say 'lab steps --routes: where the gateway sends what, and whose tokens it exchanges'
  lab steps --routes | sed -n "/^step $step\$/,/^}/p;/^step $step has/p"
  say 'lab buy: a book, from the cart to the mail'
  lab buy --only services
}

# prove judges the shop: the same requests as to the monolith, the contract, the invariants.
prove() {
  say "lab verify ${VERIFY:=--seeds 1 --requests 100}"
  # shellcheck disable=SC2086
  lab verify $VERIFY
  say "Step $step holds. The data stay in $LAB_DIR; the next script goes on from here."
}

# pid is the process of that name in the lab.
pid() { sed -n '/"name": "'"$1"'"/{n;s/[^0-9]//g;p;}' "$LAB_DIR/state.json"; }

# address is where the process of that name listens.
address() { sed -n '/"name": "'"$1"'"/,/}/s/.*"url": "\([^"]*\)".*/\1/p' "$LAB_DIR/state.json"; }

# freeze stops a process in its tracks, as a machine that swaps or a network that swallows would; thaw lets it go on.
freeze() { frozen=$(pid "$1"); kill -STOP "$frozen"; }
thaw() { kill -CONT "$frozen"; frozen=; }

# sql asks the services' database, as the superuser: no process of the shop may look into another's schema.
sql() {
  local bin
  for bin in psql "$(pg_config --bindir 2>/dev/null)/psql" /usr/lib/postgresql/*/bin/psql /opt/homebrew/opt/postgresql*/bin/psql \
    /usr/local/opt/postgresql*/bin/psql; do
    if command -v "$bin" >/dev/null; then break; fi
  done
  PGOPTIONS= "$bin" -X -P footer=off -v ON_ERROR_STOP=1 "$(state services)" "$@"
}

# await asks until the answer is t, for 15 seconds at most.
await() {
  local ends=$((SECONDS + 15))
  until [[ $(sql -At -c "$1") == t ]]; do
    if ((SECONDS > ends)); then
      echo "This did not come true in 15 s: $1" >&2
      exit 1
    fi
    sleep 0.1
  done
}

# shop sends a request to the shop in the name of who is signed in: METHOD PATH [BODY]. It prints the answer's body, and
# fails unless the status is 2xx.
shop() {
  curl -sS --fail-with-body -X "$1" "$gateway$2" -H "Authorization: Bearer ${token:-}" -H "Idempotency-Key: $RANDOM$RANDOM$RANDOM" \
    ${3:+-H 'Content-Type: application/json' -d "$3"}
}

# sign_in makes everything that follows a request of reader1, or of the account given: EMAIL PASSWORD.
sign_in() {
  token=$(shop POST /v1/sessions "{\"email\":\"${1:-reader1@banyan.example}\",\"password\":\"${2:-banyan-reader}\"}" | member token)
}

# member prints the first member of that name that holds a text or a number, from the JSON on standard input.
member() { tr -d '\n' | grep -o '"'"$1"'": *\("[^"]*"\|[0-9.]*\)' | head -1 | sed 's/^"[^"]*": *//; s/"//g'; }
