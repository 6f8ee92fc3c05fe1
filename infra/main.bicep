// Policysync in Azure: the app, what it needs, and its rights on the namespaces, hubs and provisioning services that exist already.
//
// For `azd up`, or by itself: az deployment sub create --location uksouth --template-file infra/main.bicep --parameters infra/main.bicepparam
// It creates a resource group and custom roles, and touches what exists in three ways only: role assignments, one
// diagnostic setting per provisioning service, and event subscriptions in the second stage.

targetScope = 'subscription'

import { diagnosticNamespaceName, names } from 'modules/names.bicep'
import {
  alwaysReadyType
  generationType
  planType
  provisioningServiceType
  signInType
  siteUpdateStrategyType
} from 'modules/types.bicep'

@description('Name of the environment, e.g. `prod`. Part of names.')
@minLength(1)
@maxLength(20)
param environmentName string

@description('Region of the app. Choose that of the namespaces.')
@minLength(3)
param location string

@description('Resource group of the app; created.')
@minLength(1)
@maxLength(90)
param resourceGroupName string = 'rg-policysync-${environmentName}'

@description('ARM ids of the existing namespaces to look after.')
@minLength(1)
param namespaceIds string[]

@description('ARM ids of the existing hubs that are linked to those namespaces.')
param hubIds string[]

@description('The existing provisioning services of those namespaces.')
@minLength(1)
param provisioningServices provisioningServiceType[]

@description('Generations of the service that those namespaces are of: each brings a custom role. Azure refuses a role whole (`InvalidActionOrNotAction`) when the provider does not know one of its actions; `az provider operation show --namespace Microsoft.DeviceRegistry` lists those that it has.')
@minLength(1)
@maxLength(2)
param generations generationType[]

@description('Whether the app may read the keys of enrollment groups, which it needs to give a policy to a group with symmetric keys without changing them. The right reaches every symmetric key of the provisioning services. Without it such groups are refused (`symmetric-keys-unreadable`).')
param symmetricKeyAccess bool = false

@description('Whether the app may make and change the certificate authorities and policies that policysync.toml declares, which namespaces with `manage = true` need. Each generation brings one more custom role. None of them revokes, rotates or deletes.')
param manageAuthorities bool = false

@description('Where the app runs.')
param plan planType = 'flex'

@description('Whether no function writes to a namespace or a provisioning service, whatever policysync.toml says.')
param auditOnly bool = false

@description('Whether the configuration is a blob that people upload (`policysync config push`), rather than a file of the package. It gets a storage account of its own, which keeps each version, and which the app can only read.')
param configurationInBlob bool = false

@description('Second stage, after the app is deployed: let events wake it. `azd` does that by a hook.')
param eventSubscriptions bool = false

@description('Whether the app, its storage and its queues are reached through private endpoints only. Needs the Premium tier of Service Bus. Events come through an event hub then, which wants a package with `--streamed-events`.')
param privateNetworking bool = false

@description('Address space of the private network.')
param networkAddressPrefix string = '10.72.0.0/24'

@description('Sign-in with Entra ID for the HTTP functions; null for keys alone.')
param signIn signInType?

@description('Addresses that alerts are mailed to.')
param alertEmails string[] = []

@secure()
@description('Webhooks that alerts are posted to, name to https address.')
param alertWebhooks object = {}

@description('When every enrollment group is looked at (NCRONTAB).')
param reconcileSchedule string = '0 */15 * * * *'

@description('When the status report is made (NCRONTAB).')
param reportSchedule string = '0 5 * * * *'

@description('Minutes without a report after which an alert is raised.')
@minValue(30)
@maxValue(330)
param reportLateMinutes int = 150

@description('Days after its last change until a record is removed.')
@minValue(30)
@maxValue(3650)
param recordRetentionDays int = 90

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Most that logs may take in per day, in GB.')
@minValue(1)
param logDailyQuotaGb int = 1

@description('Most instances at once, on Flex Consumption.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Memory of an instance in MB, on Flex Consumption. docs/deploy.md has the measurement behind the default.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512

@description('How instances are replaced at a deployment, on Flex Consumption. No step of the app needs to finish: each is taken up by the next run.')
param siteUpdateStrategy siteUpdateStrategyType = 'Recreate'

@description('Instances that are kept warm, on Flex Consumption. None: the first call after a pause waits for an instance.')
param alwaysReady alwaysReadyType[] = []

@description('Minutes without a reconcile after which an alert is raised: more than two periods of `reconcileSchedule`.')
@minValue(20)
@maxValue(330)
param reconcileLateMinutes int = 60

@description('Tags of everything that is created.')
param tags object = {}

var token = toLower(uniqueString(subscription().id, environmentName, location))
// The custom roles of this deployment, by the names that permissions.json has for them.
var declaredRoles = map(manageAuthorities ? generations : [], generation => 'declared-${generation}')
var namespaceRoles = union(['resources'], generations, declaredRoles)
var roleNames = union(namespaceRoles, ['subscription'], symmetricKeyAccess ? ['symmetric-keys'] : [])
var roleIds = toObject(roleNames, role => role, role => guid(subscription().id, token, 'policysync-${role}'))
var allTags = union(tags, { 'azd-env-name': environmentName })
// The subscriptions that hubs and provisioning services are looked up in.
var subscriptionIds = union(
  map(union(namespaceIds, hubIds), id => split(id, '/')[2]),
  map(provisioningServices, service => split(service.id, '/')[2])
)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: resourceGroupName
  location: location
  tags: allTags
}

module customRoles 'modules/custom-roles.bicep' = {
  params: {
    token: token
    roleIds: roleIds
    generations: generations
    assignableScopes: map(union(subscriptionIds, [subscription().subscriptionId]), id => '/subscriptions/${id}')
  }
}

// Events are pushed, and nothing from outside reaches a private app: its events go through an event hub.
var pushesEvents = eventSubscriptions && !privateNetworking
var streamsEvents = eventSubscriptions && privateNetworking
var systemTopicName = 'evgst-policysync-${token}'
var regions = union(map(provisioningServices, service => service.location), [])

module app 'modules/app.bicep' = {
  scope: group
  params: {
    alertEmails: alertEmails
    alertWebhooks: alertWebhooks
    alwaysReady: alwaysReady
    auditOnly: auditOnly
    configurationInBlob: configurationInBlob
    instanceMemoryMB: instanceMemoryMB
    location: location
    logDailyQuotaGb: logDailyQuotaGb
    logRetentionDays: logRetentionDays
    maximumInstanceCount: maximumInstanceCount
    networkAddressPrefix: networkAddressPrefix
    plan: plan
    privateNetworking: privateNetworking
    reconcileLateMinutes: reconcileLateMinutes
    reconcileSchedule: reconcileSchedule
    recordRetentionDays: recordRetentionDays
    regions: regions
    reportLateMinutes: reportLateMinutes
    reportSchedule: reportSchedule
    signIn: signIn
    siteUpdateStrategy: siteUpdateStrategy
    tags: allTags
    takesEvents: eventSubscriptions
    token: token
  }
}

module namespaceAccess 'modules/namespace-access.bicep' = [
  for id in namespaceIds: {
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      name: last(split(id, '/'))
      principalId: app.outputs.principalId
      seed: token
      roleIds: map(namespaceRoles, role => roleIds[role])
    }
    dependsOn: [customRoles]
  }
]

module hubAccess 'modules/hub-access.bicep' = [
  for id in hubIds: {
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: {
      name: last(split(id, '/'))
      principalId: app.outputs.principalId
      seed: token
      roleId: roleIds.resources
    }
    dependsOn: [customRoles]
  }
]

module provisioningServiceAccess 'modules/provisioning-service-access.bicep' = [
  for service in provisioningServices: {
    scope: resourceGroup(split(service.id, '/')[2], split(service.id, '/')[4])
    params: {
      name: last(split(service.id, '/'))
      settingName: 'policysync-${token}'
      senderRuleId: filter(app.outputs.diagnosticHubs, hub => hub.region == service.location)[0].senderRuleId
      eventHubName: names.diagnosticEventHub
      principalId: app.outputs.principalId
      seed: token
      roleIds: map(union(['resources'], symmetricKeyAccess ? ['symmetric-keys'] : []), role => roleIds[role])
    }
    dependsOn: [customRoles]
  }
]

module subscriptionAccess 'modules/subscription-access.bicep' = [
  for id in subscriptionIds: {
    scope: subscription(id)
    params: {
      principalId: app.outputs.principalId
      seed: token
      roleId: roleIds.subscription
    }
    dependsOn: [customRoles]
  }
]

module resourceEvents 'modules/resource-events.bicep' = [
  for id in pushesEvents ? subscriptionIds : []: {
    scope: subscription(id)
    params: {
      name: 'policysync-${token}'
      functionId: app.outputs.eventFunctionId
    }
  }
]

module eventGroup 'modules/event-group.bicep' = [
  for id in streamsEvents ? filter(subscriptionIds, id => id != subscription().subscriptionId) : []: {
    scope: subscription(id)
    params: {
      name: resourceGroupName
      location: location
      tags: allTags
    }
  }
]

module systemTopic 'modules/system-topic.bicep' = [
  for id in streamsEvents ? subscriptionIds : []: {
    scope: resourceGroup(id, resourceGroupName)
    params: {
      name: systemTopicName
      tags: allTags
    }
    dependsOn: [group, eventGroup]
  }
]

module systemTopicSender 'modules/stream-sender.bicep' = [
  for (id, index) in streamsEvents ? subscriptionIds : []: {
    scope: group
    params: {
      namespaceName: diagnosticNamespaceName(token, regions[0])
      principalId: systemTopic[index].outputs.topicPrincipalId
      seed: id
    }
    dependsOn: [app]
  }
]

module systemTopicStream 'modules/system-topic-stream.bicep' = [
  for (id, index) in streamsEvents ? subscriptionIds : []: {
    scope: resourceGroup(id, resourceGroupName)
    params: {
      topicName: systemTopicName
      name: 'policysync'
      eventHubId: app.outputs.streamId
    }
    dependsOn: [systemTopic, systemTopicSender]
  }
]

@description('Options of `cargo xtask package` that fit this deployment; the hook of `azd` uses them.')
output POLICYSYNC_PACKAGE_OPTIONS string = '--regions ${length(regions)}${privateNetworking ? ' --streamed-events' : ''}'

@description('The resource group.')
output AZURE_RESOURCE_GROUP string = group.name

@description('The function app.')
output AZURE_FUNCTION_NAME string = app.outputs.appName

@description('The status page.')
output POLICYSYNC_STATUS_PAGE string = 'https://${app.outputs.hostName}/api/policy-status'

@description('The storage account of the package.')
output POLICYSYNC_PACKAGE_ACCOUNT string = app.outputs.packageAccountName

@description('Address of the configuration, where it is a blob.')
output POLICYSYNC_CONFIGURATION string = app.outputs.configurationAddress

@description('Where `Created` events are published to.')
output POLICYSYNC_TOPIC_ENDPOINT string = app.outputs.topicEndpoint

@description('Principal id of the app\'s identity, for role assignments of your own.')
output POLICYSYNC_PRINCIPAL_ID string = app.outputs.principalId
