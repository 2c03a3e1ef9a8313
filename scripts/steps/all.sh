#!/usr/bin/env bash
# Climbs the whole ladder, one script after the other, from fresh data in a folder of its own, and says how long each took.
# The variables are those of parts.sh. With --live each area leaves a running shop. A script that fails ends it.
set -euo pipefail
cd "$(dirname "$0")"
export LAB_DIR=${LAB_DIR:-.lab-steps-all}
took=() fresh=--fresh
for script in [0-9][0-9]-*.sh; do
  began=$SECONDS
  "./$script" $fresh "$@"
  fresh=
  took+=("$(printf '%4d s  %s' $((SECONDS - began)) "$script")")
done
printf '\nAll steps hold. What each took:\n\n'
printf '%s\n' "${took[@]}" "$(printf '%4d s  all' "$SECONDS")"
