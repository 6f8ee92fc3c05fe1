# What the scripts of this folder share; they read it in.
#
# POSIX sh: Linux, macOS, Cloud Shell, and the sh of Git for Windows. `cargo test -p xtask --test hooks` runs every script
# against stand-ins of `az` and `cargo`.
# shellcheck shell=sh disable=SC2034,SC2016 # used by those; backquotes are for the reader

# What has to be waited for is tried so often, with so many seconds in between: ten minutes in all.
tries=${DEPLOY_TRIES:-20}
pause=${DEPLOY_PAUSE_SECONDS:-30}

# Git for Windows takes an ARM id for a path and would write `C:/Program Files/Git` before it.
export MSYS2_ARG_CONV_EXCL=/subscriptions

scratch=$(mktemp -d)
: >"$scratch/words"
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# Failures that end by themselves, by what `az` says of them.
roles_on_their_way='AuthorizationFailed|AuthorizationFailure|AuthorizationPermissionMismatch|Forbidden|not authorized|(does|do) not have [a-z ]*(permission|authorization)|[Ss]tatus [Cc]ode:? ?403'
service_unavailable='[Ss]tatus [Cc]ode:? ?50[234]|HTTP Error 50[234]|Service ?Unavailable|Site Unavailable|Bad ?Gateway|Gateway ?Time-?[Oo]ut'

say() {
  printf '%s\n' "$*"
}

stop() {
  printf 'stopped: %s\n' "$*" >&2
  exit 1
}

# What az prints as `tsv`; on Windows its lines end with a carriage return too.
ask() {
  az "$@" --output tsv >"$scratch/answer" || return
  tr -d '\r' <"$scratch/answer"
}

# Sets $here, the subscription that az works in.
require_az() {
  command -v az >/dev/null 2>&1 ||
    stop 'the Azure CLI (az) is not on PATH: https://learn.microsoft.com/cli/azure/install-azure-cli'
  here=$(ask account show --query id) ||
    stop 'az cannot say which subscription it works in (its own words are above): run `az login`'
}

# azd has a login and a subscription of its own.
require_one_subscription() {
  [ "$here" = "${AZURE_SUBSCRIPTION_ID:-$here}" ] ||
    stop "az works in subscription $here, azd in $AZURE_SUBSCRIPTION_ID: run \`az account set --subscription $AZURE_SUBSCRIPTION_ID\`"
}

# require VARIABLE…: azd hands the outputs of the templates to its hooks as variables.
require() {
  for variable; do
    eval "value=\${$variable:-}"
    [ -n "$value" ] ||
      stop "$variable is not set. azd sets it for its hooks; by hand, take it from the outputs of the deployment (docs/deploy.md)"
  done
}

# insist WHAT PATTERN COMMAND…: runs the command until it succeeds. A failure whose words match the pattern (an extended
# regular expression) is waited for; any other one, and the last of all tries, is returned. Its words are in $scratch/words.
insist() {
  what=$1
  pattern=$2
  shift 2
  try=1
  while :; do
    # Shown as it comes, and kept; a pipe would otherwise hide how the command ended.
    { "$@" 2>&1 && echo 0 >"$scratch/code" || echo "$?" >"$scratch/code"; } | tee "$scratch/words"
    code=$(cat "$scratch/code")
    [ "$code" = 0 ] && return 0
    grep -Eq "$pattern" "$scratch/words" || return "$code"
    [ "$try" -lt "$tries" ] || return "$code"
    if grep -Eq "$roles_on_their_way" "$scratch/words"; then
      why='a role assignment takes minutes to arrive'
    elif grep -Eq "$service_unavailable" "$scratch/words"; then
      why='the service is unavailable'
    else
      why='it is not ready for that yet'
    fi
    say "$what: $why; that was try $try of $tries, the next is in $pause seconds"
    sleep "$pause"
    try=$((try + 1))
  done
}
