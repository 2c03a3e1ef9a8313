# What .ci/run and .ci/weekly have in common: each part starts what it needs itself, stops it, and says what it
# skipped and why. To be sourced, in the folder of the checkout, by a bash with -euo pipefail.

skip() { printf '\n-- skipped: %s\n' "$*"; }

# postgres makes sure that there is one to test with.
postgres() {
  if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null; then return; fi
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo 'no PostgreSQL here, and no way to install it: see the README' >&2
    exit 1
  fi
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null
}

# form is what can be said of the code without running it.
form() {
  unformatted=$(git ls-files '*.go' | xargs gofmt -l)
  [ -z "$unformatted" ] || { echo "gofmt would change: $unformatted" >&2; exit 1; }
  go vet ./...
  if ! go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...; then
    echo 'staticcheck found something, or could not be fetched' >&2
    exit 1
  fi
}

# newcomer is a stranger's first minutes: libpq's variables, strict umasks, root and a user in one checkout, a server of
# locale C.
newcomer() { go test ./scripts/newcomer -count=1 -timeout 20m -args -newcomer; }

# race is the race detector, where things are concurrent.
race() {
  go test -race ./internal/{events,idempotency,process,token,web} \
    ./monolith/{orders,payments,notifications} ./services/{gateway,orders,inventory,payments,notifications}
}

# beside holds both sides against each other, from the outside; its arguments go to lab verify. A shell of its own, so
# that its trap stops the lab.
beside() (
  go run ./scripts/lab up --dir .lab-ci >.lab-ci.log 2>&1 &
  lab=$!
  trap 'kill "$lab" 2>/dev/null || true; wait "$lab" 2>/dev/null || true; rm -rf .lab-ci .lab-ci.log' EXIT
  for _ in $(seq 150); do
    grep -q 'The shop is open' .lab-ci.log && break
    kill -0 "$lab" 2>/dev/null || { cat .lab-ci.log; exit 1; }
    sleep 1
  done
  go run ./scripts/lab verify --dir .lab-ci "$@"
  go run ./scripts/lab race --dir .lab-ci
)

# images brings the images that ours are built from. Where no registry can be reached, a machine may have its own way to
# make them.
images() {
  if [ -x ../shared/images/build ]; then timeout 900 ../shared/images/build || return 1; fi
  for image in postgres:17 nats:2 golang:1.26; do
    docker image inspect "$image" >/dev/null 2>&1 || timeout 300 docker pull --quiet "$image" || return 1
  done
}

# containers builds the images, brings both sides up in containers and lets the contract suite judge them.
containers() (
  if ! command -v docker >/dev/null || ! docker info >/dev/null 2>&1; then
    skip 'images and compose: no Docker engine answers'
    exit 0
  elif ! images; then
    skip 'images and compose: the images of PostgreSQL, NATS and Go are not here, and cannot be pulled'
    exit 0
  elif ! docker compose version >/dev/null 2>&1; then
    skip 'images and compose: Docker has no compose plugin'
    exit 0
  fi
  trap 'docker compose down --volumes --timeout 10 >/dev/null 2>&1; rm -rf .lab-canary .env.canary services/orders/canary.pem' EXIT
  # Something secret beside the sources, as it may lie about on anybody's machine: no image may hold it.
  canary="canary-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
  mkdir .lab-canary
  for file in .lab-canary/secrets.json .env.canary services/orders/canary.pem; do echo "$canary" >"$file"; done
  timeout 1200 docker compose up --build --wait || { docker compose ps --all; docker compose logs --tail 20; exit 1; }
  for shop in http://127.0.0.1:8080 http://127.0.0.1:8090; do
    go test ./scripts/contract -count=1 -args -target "$shop"
    go run ./scripts/lab buy --at "$shop"
  done
  go test ./scripts/hostile -count=1 -run '^TestImages$' -args -images -canary "$canary"
  docker images --filter 'reference=banyan-*' --format 'table {{.Repository}}\t{{.Size}}'
  docker stats --no-stream --format 'table {{.Name}}\t{{.MemUsage}}'
)
