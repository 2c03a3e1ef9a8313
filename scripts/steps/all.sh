#!/usr/bin/env bash
# Climbs the whole ladder from fresh data, one script after the other.
set -euo pipefail
cd "$(dirname "$0")"
./00-monolith.sh --fresh
for script in 0[1-8]-*.sh; do
  "./$script"
done
