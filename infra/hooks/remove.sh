#!/bin/sh
# What Policysync has outside of its resource group, which neither `azd down` nor `az group delete` removes: event
# subscriptions, diagnostic settings, role assignments, custom roles and, of a private app, resource groups in other
# subscriptions. Without an option it lists them and changes nothing.
#
#   sh infra/hooks/remove.sh             lists
#   sh infra/hooks/remove.sh --delete    lists, then deletes what it listed
#
# AZURE_FUNCTION_NAME and POLICYSYNC_PRINCIPAL_ID say whose; they are outputs of the deployment. It looks in every enabled
# subscription of the login, or in those of REMOVE_SUBSCRIPTIONS (ids with blanks in between).
# shellcheck disable=SC2013,SC2016 # no id has blanks; backquotes are for the reader
set -eu
cd "$(dirname "$0")/../.."
. infra/hooks/lib.sh

# look ARGUMENT…: what az finds, in $scratch/found. What cannot be looked at is not called empty; only of a provider that the
# subscription has not registered there can be nothing.
look() {
  ask "$@" >"$scratch/found" 2>"$scratch/words" && return
  : >"$scratch/found"
  grep -Eq 'MissingSubscriptionRegistration|not registered to use namespace' "$scratch/words" && return
  cat "$scratch/words" >&2
  stop "could not look (the words of az are above): az $*. REMOVE_SUBSCRIPTIONS names the subscriptions to look in"
}

# found KIND: a line for each thing that was found: its kind, its id, the subscription.
found() {
  while read -r id; do
    [ -z "$id" ] || printf '%s %s %s\n' "$1" "$id" "$subscription" >>"$scratch/list"
  done <"$scratch/found"
}

# The order of the lines is that of the deletion: a role goes after what is assigned by it.
leftovers_of() {
  subscription=$1
  look eventgrid event-subscription list --source-resource-id "/subscriptions/$subscription" \
    --subscription "$subscription" --query "[?name=='$name'].id"
  found 1-event-subscription

  look resource list --resource-type Microsoft.Devices/provisioningServices --subscription "$subscription" --query '[].id'
  services=$(cat "$scratch/found")
  for service in $services; do
    look monitor diagnostic-settings list --resource "$service" --subscription "$subscription" --query "[?name=='$name'].name"
    [ ! -s "$scratch/found" ] || printf '2-diagnostic-setting %s %s\n' "$service" "$subscription" >>"$scratch/list"
  done

  look role definition list --custom-role-only true --subscription "$subscription" \
    --query "[?starts_with(roleName, 'Policysync') && contains(roleName, '($token)')].name"
  found 5-role
  whose="principalId=='$POLICYSYNC_PRINCIPAL_ID'"
  for role in $(cat "$scratch/found"); do
    whose="$whose || ends_with(roleDefinitionId, '$role')"
  done
  look role assignment list --all --subscription "$subscription" --fill-principal-name false --fill-role-definition-name false \
    --query "[?$whose].id"
  found 3-role-assignment

  # Of a private app: a topic in a group that has nothing else. A topic beside the app goes with the app's group.
  look resource list --resource-type Microsoft.EventGrid/systemTopics --subscription "$subscription" \
    --query "[?name=='evgst-$name'].resourceGroup"
  for group in $(cat "$scratch/found"); do
    look resource list --resource-group "$group" --subscription "$subscription" --query '[].id'
    [ "$(wc -l <"$scratch/found")" -ne 1 ] || printf '4-resource-group %s %s\n' "$group" "$subscription" >>"$scratch/list"
  done
}

# remove KIND ID SUBSCRIPTION
remove() {
  case $1 in
    *-event-subscription) az eventgrid event-subscription delete --name "$name" --source-resource-id "/subscriptions/$3" --subscription "$3" ;;
    *-diagnostic-setting) az monitor diagnostic-settings delete --name "$name" --resource "$2" --subscription "$3" ;;
    *-role-assignment) az role assignment delete --ids "$2" --subscription "$3" ;;
    *-resource-group) az group delete --name "$2" --subscription "$3" --yes ;;
    *-role) az role definition delete --name "$2" --custom-role-only true --subscription "$3" ;;
  esac
}

case "${1:-}" in
  '' | --delete) ;;
  *) stop "the only option is --delete, not \`$1\`" ;;
esac
require AZURE_FUNCTION_NAME POLICYSYNC_PRINCIPAL_ID
# It is part of every name, so another Policysync, which may watch the same resources, keeps what it has.
token=${AZURE_FUNCTION_NAME#func-policysync-}
case $token in
  "$AZURE_FUNCTION_NAME" | *[!a-z0-9]* | '') stop "AZURE_FUNCTION_NAME is no name that the templates make: $AZURE_FUNCTION_NAME" ;;
esac
case $POLICYSYNC_PRINCIPAL_ID in
  *[!0-9a-fA-F-]*) stop "POLICYSYNC_PRINCIPAL_ID is no GUID: $POLICYSYNC_PRINCIPAL_ID" ;;
esac
name=policysync-$token
require_az

: >"$scratch/list"
subscriptions=${REMOVE_SUBSCRIPTIONS:-}
if [ -z "$subscriptions" ]; then
  look account list --query "[?state=='Enabled'].id"
  subscriptions=$(cat "$scratch/found")
fi
for each in $subscriptions; do
  leftovers_of "$each"
done
# A role, and an assignment above the subscriptions, is found in several.
sort -u -k 1,2 "$scratch/list" >"$scratch/leftovers"

if [ ! -s "$scratch/leftovers" ]; then
  say "nothing of $name is left outside of its resource group"
  exit
fi
cut -c 3- "$scratch/leftovers"
if [ "${1:-}" != --delete ]; then
  say 'Nothing was deleted. This deletes what is listed; azd forgets the values when it is done, so keep the line:'
  say "AZURE_FUNCTION_NAME=$AZURE_FUNCTION_NAME POLICYSYNC_PRINCIPAL_ID=$POLICYSYNC_PRINCIPAL_ID sh infra/hooks/remove.sh --delete"
  exit
fi

left=0
while read -r kind id subscription; do
  # A role counts as assigned for some time after the last assignment is gone.
  insist "deleting ${kind#?-} $id" "$service_unavailable|RoleDefinitionHasAssignments" \
    remove "$kind" "$id" "$subscription" </dev/null || left=$((left + 1))
done <"$scratch/leftovers"
[ "$left" -eq 0 ] || stop "$left of them are still there (the words of az are above): run this again"
say 'All of it is deleted. What is left is the resource group: `azd down`, or `az group delete`.'
