#!/bin/sh
# After the resources are created: puts the package on the app, waits until the host has found the functions in it, and lets
# events wake them. `azd up` runs it at its end. Every part can be repeated; what is done already does no harm.
# shellcheck disable=SC2016 # backquotes are for the reader
set -eu
cd "$(dirname "$0")/../.."
. infra/hooks/lib.sh

package=target/package/policysync.zip

on_the_app() {
  command=$1
  shift
  # shellcheck disable=SC2086 # e.g. `functionapp restart`
  az $command "$@" --resource-group "$AZURE_RESOURCE_GROUP" --name "$AZURE_FUNCTION_NAME"
}

# Flex Consumption: the deployment service of the app stores the package with an identity of the app.
deploy_zip() {
  if insist 'deploying the package' "$roles_on_their_way|$service_unavailable|ongoing deployment" \
    on_the_app 'functionapp deployment source config-zip' --src "$package"; then
    return
  fi
  # The CLI looks at the app's health once it is deployed. Right after the first deployment it may well be too early.
  grep -q 'Deployment was successful' "$scratch/words" ||
    stop 'the package is not deployed (the words of az are above). Nothing is lost: run `azd provision`, or this script, again'
  is_unhealthy=yes
}

# Elastic Premium: the app runs from a package in blob storage, so `config-zip` would fail with 409.
upload() {
  account=${1#https://}
  account=${account%%.*}
  blob=${1#https://*/}
  insist 'uploading the package' "$roles_on_their_way|$service_unavailable" \
    az storage blob upload --auth-mode login --overwrite --only-show-errors --output none \
    --account-name "$account" --container-name "${blob%%/*}" --name "${blob#*/}" --file "$package" ||
    stop "the package is not in $1 (the words of az are above). The deploying account needs \`Storage Blob Data Contributor\` on the storage account $account, and with private networking a place inside the network"
  insist 'restarting the app' "$service_unavailable" on_the_app 'functionapp restart' ||
    stop 'the app did not restart (the words of az are above), so it may still run the package before this one'
}

# await_function NAME: until the platform lists it.
await_function() {
  app=$(ask functionapp show --resource-group "$AZURE_RESOURCE_GROUP" --name "$AZURE_FUNCTION_NAME" --query id)
  try=1
  while :; do
    # What the portal's Refresh does. The deployment's own is not always picked up (Azure/azure-functions-host #10169).
    az rest --method post --url "$app/host/default/sync?api-version=2024-11-01" --output none 2>"$scratch/sync" || true
    if functions=$(ask functionapp function list --resource-group "$AZURE_RESOURCE_GROUP" --name "$AZURE_FUNCTION_NAME" \
      --query '[].name' 2>"$scratch/words"); then
      printf '%s\n' "$functions" | grep -Eq "(^|/)$1\$" && return
    fi
    [ "$try" -lt "$tries" ] || break
    say "waiting for the host to find the function $1: look $try of $tries, again in $pause seconds"
    sleep "$pause"
    try=$((try + 1))
  done
  cat "$scratch/sync" "$scratch/words" >&2
  stop "the platform does not list the function $1 after $tries looks, so no event subscription was made. Listed: ${functions:-none}. $look_at_the_log"
}

# The second stage of the templates: a subscription to a function wants the function to be there.
subscribe() {
  insist 'letting events wake the app' "$roles_on_their_way|$service_unavailable|[Ee]ndpoint validation|[Dd]estination endpoint not found|attempt to validate the provided endpoint" \
    az deployment sub create --name "policysync-$AZURE_ENV_NAME-events" --location "$AZURE_LOCATION" \
    --template-file infra/main.bicep --parameters infra/main.bicepparam --parameters eventSubscriptions=true --output none ||
    stop 'the event subscriptions were not made (the words of az are above). The app works without them, a quarter of an hour later: run `azd provision`, or this script, again'
}

is_unhealthy=no
look_at_the_log="The host's log says why (portal: Log stream). Look for a role on the app's storage that has not arrived, and for a policysync.toml that is missing from the package or wrong"
require_az
require_one_subscription
require AZURE_ENV_NAME AZURE_FUNCTION_NAME AZURE_LOCATION AZURE_RESOURCE_GROUP
options=${POLICYSYNC_PACKAGE_OPTIONS:-}
# Which folders the package needs depends on what was created: regions, and whether the app is private.
# shellcheck disable=SC2086 # options
cargo xtask package $options
remote=$(ask functionapp config appsettings list --resource-group "$AZURE_RESOURCE_GROUP" --name "$AZURE_FUNCTION_NAME" \
  --query "[?name=='WEBSITE_RUN_FROM_PACKAGE'].value")
case $remote in
  https://*) upload "$remote" ;;
  *) deploy_zip ;;
esac
case " $options " in
  *' --streamed-events '*) await_function handle-streamed-events ;;
  *) await_function handle-resource-event ;;
esac
if [ "${DEPLOY_EVENTS:-yes}" = no ]; then
  say 'no event subscriptions: DEPLOY_EVENTS is `no`, so the timers find everything'
else
  subscribe
fi
if [ "$is_unhealthy" = yes ]; then
  say "az found the app unhealthy right after the deployment. If the page does not answer in a few minutes: $look_at_the_log"
fi
say "Status page: ${POLICYSYNC_STATUS_PAGE:-see the outputs of the deployment}"
say 'The first report is made five minutes past the next hour. If none comes, see "Timers that stop" in docs/deploy.md.'
