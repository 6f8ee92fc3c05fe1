#!/bin/sh
# Before anything is created: is the login there, are the resource providers registered, do they know the actions of our
# roles, and does the region offer the runtime that the templates ask for? Reads only. `azd up` runs it first; by hand: sh infra/hooks/preflight.sh
# shellcheck disable=SC2013,SC2016 # no name has blanks; backquotes are for the reader
set -eu
cd "$(dirname "$0")/../.."
. infra/hooks/lib.sh

# What infra/modules/function-app.bicep asks for on Flex Consumption; a test compares them.
runtime=1.0

# What the templates create resources of; a test compares them. `az` does not register what a template brings along.
app_providers='Microsoft.EventGrid Microsoft.EventHub Microsoft.Insights Microsoft.ManagedIdentity Microsoft.OperationalInsights Microsoft.ServiceBus Microsoft.Storage Microsoft.Web'
private_providers='Microsoft.Network'
# In the subscriptions of namespaces, hubs and provisioning services: event subscriptions and diagnostic settings.
watched_providers='Microsoft.EventGrid Microsoft.Insights'

# registered SUBSCRIPTION PROVIDER…
registered() {
  subscription=$1
  shift
  found=$(ask provider list --subscription "$subscription" --query "[?registrationState=='Registered'].namespace") ||
    stop "az cannot say which resource providers subscription $subscription has registered (its own words are above)"
  for provider; do
    printf '%s\n' "$found" | grep -Fqix "$provider" && continue
    say "missing: az provider register --namespace $provider --subscription $subscription --wait"
    missing=yes
  done
}

# The Flex Consumption runtime in $location.
runtime_is_offered() {
  if offered=$(ask functionapp list-flexconsumption-runtimes --location "$location" --runtime custom --query '[].version' 2>"$scratch/words"); then
    printf '%s\n' "$offered" | grep -Fqx "$runtime" && return
    stop "$location offers the runtime \`custom\` in $(printf '%s\n' "$offered" | tr '\n' ' ')and the templates ask for $runtime: change \`runtime\` in infra/modules/function-app.bicep and infra/hooks/preflight.sh to one that is offered"
  fi
  # Whether Azure lists custom handlers there, no public source says. So the region decides, and the version is left open.
  regions=$(ask functionapp list-flexconsumption-locations --query '[].name') ||
    stop 'az cannot say where Flex Consumption is offered (its own words are above)'
  printf '%s\n' "$regions" | grep -Fqx "$location" ||
    stop "$location does not offer Flex Consumption: choose another region (az functionapp list-flexconsumption-locations), or plan = 'premium'"
  cat "$scratch/words" >&2
  say "not confirmed: az does not say which versions of the runtime \`custom\` $location offers; the templates ask for $runtime"
}

# Azure refuses a custom role whole when the provider does not know one of its actions (InvalidActionOrNotAction).
actions_are_known() {
  generations=$(printf '%s' "$parameters" | sed -n 's/.*"generations":{"value":\[\([^]]*\)\].*/\1/p' | tr ',"' '  ')
  wanted=" resources subscription $generations "
  [ "$(parameter symmetricKeyAccess)" != true ] || wanted="$wanted symmetric-keys "
  [ "$(parameter manageAuthorities)" != true ] || wanted="$wanted declared-credentials declared-certificate-authorities "
  # The rows of the roles that the templates make: by their role, and by their generation where they have one.
  awk -F '"' -v wanted="$wanted" '
    function is_wanted(name) { return index(wanted, " " name " ") }
    {
      action = role = generation = ""
      for (i = 1; i < NF; i++) {
        if ($i == "action") action = $(i + 2)
        if ($i == "role") role = $(i + 2)
        if ($i == "generation") generation = $(i + 2)
      }
      if (action != "" && is_wanted(role) && (generation == "" || generation == "any" || is_wanted(generation))) print action
    }' infra/modules/permissions.json | sort -u >"$scratch/actions"
  for provider in $(cut -d / -f 1 "$scratch/actions" | sort -u); do
    known=$(ask provider operation show --namespace "$provider" --query '[operations[].name, resourceTypes[].operations[].name][]') ||
      stop "az cannot say which actions $provider has (its own words are above)"
    for action in $(grep "^$provider/" "$scratch/actions"); do
      printf '%s\n' "$known" | grep -Fqix "$action" && continue
      say "unknown to Azure: $action"
      missing=yes
    done
  done
}

require_az
require_one_subscription
az bicep build-params --file infra/main.bicepparam --outfile "$scratch/parameters.json" --only-show-errors ||
  stop 'infra/main.bicepparam does not compile (the words of the compiler are above)'
parameters=$(tr -d '[:space:]' <"$scratch/parameters.json")
# parameter NAME: its value, a text or true or false; empty for the default of the template.
parameter() {
  printf '%s' "$parameters" | sed -n "s/.*\"$1\":{\"value\":\"\{0,1\}\([^\"}]*\)\"\{0,1\}}.*/\1/p"
}
# `West Europe` is as good a name as `westeurope`, which is what az lists.
location=$(parameter location | tr '[:upper:]' '[:lower:]')
[ -n "$location" ] || stop 'infra/main.bicepparam has no `location`'

missing=
providers=$app_providers
if [ "$(parameter privateNetworking)" = true ]; then
  providers="$providers $private_providers"
  # The subnet of a Flex Consumption app is delegated to it.
  [ "$(parameter plan)" = premium ] || providers="$providers Microsoft.App"
fi
# shellcheck disable=SC2086 # a list
registered "$here" $providers
for subscription in $(printf '%s' "$parameters" | grep -o '/subscriptions/[^/"]*' | cut -d / -f 3 | sort -u); do
  # shellcheck disable=SC2086 # a list
  [ "$subscription" = "$here" ] || registered "$subscription" $watched_providers
done
[ -z "$missing" ] || stop 'resource providers are not registered: run the commands above, then this again'

actions_are_known
[ -z "$missing" ] || stop 'custom roles with these actions would be refused (InvalidActionOrNotAction). Are the providers registered, and is the generation of the namespaces right? See "What the app may do" in docs/deploy.md'

[ "$(parameter plan)" = premium ] || runtime_is_offered
say "ready to deploy to $location, subscription $here"
