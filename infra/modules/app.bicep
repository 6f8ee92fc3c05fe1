// Everything of the app itself, in its resource group.

import { configurationAccountName, diagnosticNamespaceName, names, packageAccountName } from 'names.bicep'
import { alwaysReadyType, planType, signInType, siteUpdateStrategyType } from 'types.bicep'

@description('Makes names unique and stable: the same for the same subscription, environment and region.')
@minLength(3)
@maxLength(13)
param token string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Where the app runs.')
param plan planType

@description('Regions of the provisioning services.')
@minLength(1)
param regions string[]

@description('Whether no function writes to a namespace or a provisioning service.')
param auditOnly bool

@description('Whether the configuration is a blob, rather than a file of the package.')
param configurationInBlob bool

@description('Whether everything is reached through private endpoints only.')
param privateNetworking bool

@description('Whether events wake the app, which has to be deployed by then. Those of a private app go through an event hub.')
param takesEvents bool

@description('Address space of the private network.')
param networkAddressPrefix string

@description('Sign-in for the HTTP functions.')
param signIn signInType?

@description('Addresses that alerts are mailed to.')
param alertEmails string[]

@secure()
@description('Webhooks that alerts are posted to.')
param alertWebhooks object

@description('When every enrollment group is looked at.')
param reconcileSchedule string

@description('When the status report is made.')
param reportSchedule string

@description('Minutes without a report after which an alert is raised.')
param reportLateMinutes int

@description('Days until a record is removed.')
param recordRetentionDays int

@description('Days that logs are kept.')
param logRetentionDays int

@description('Most that logs may take in per day, in GB.')
param logDailyQuotaGb int

@description('Most instances at once.')
param maximumInstanceCount int

@description('Memory of an instance in MB.')
param instanceMemoryMB int

@description('How instances are replaced at a deployment.')
param siteUpdateStrategy siteUpdateStrategyType

@description('Instances that are kept warm.')
param alwaysReady alwaysReadyType[]

@description('Minutes without a reconcile after which an alert is raised.')
param reconcileLateMinutes int

var appName = 'func-policysync-${token}'
var storageName = 'st${token}'
var topicName = 'evgt-policysync-${token}'

module identity 'identity.bicep' = {
  params: {
    name: 'id-policysync-${token}'
    location: location
    tags: tags
  }
}

module storage 'storage.bicep' = {
  params: {
    name: storageName
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    seed: token
    isPrivate: privateNetworking
    recordRetentionDays: recordRetentionDays
    recordContainer: names.recordContainer
  }
}

// On Flex Consumption the platform stores an uploaded package with an identity of the app, which therefore needs to write. It is
// not the one that the app runs as. It is attached to the app all the same: code in the app can ask for its token by name.
var isFlex = plan == 'flex'

module packageIdentity 'identity.bicep' = if (isFlex) {
  params: {
    name: 'id-package-policysync-${token}'
    location: location
    tags: tags
  }
}

module packages 'package-storage.bicep' = {
  params: {
    name: packageAccountName(token)
    location: location
    tags: tags
    seed: token
    isPrivate: privateNetworking
    packageContainer: names.packageContainer
    principalId: isFlex ? packageIdentity!.outputs.principalId : identity.outputs.principalId
    canWrite: isFlex
  }
}

module configuration 'configuration-storage.bicep' = if (configurationInBlob) {
  params: {
    name: configurationAccountName(token)
    location: location
    tags: tags
    seed: token
    isPrivate: privateNetworking
    container: names.configurationContainer
    principalId: identity.outputs.principalId
  }
}

module queue 'queue.bicep' = {
  params: {
    name: 'sbns-policysync-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    seed: token
    isPrivate: privateNetworking
    requestQueue: names.requestQueue
    parkedQueue: names.parkedQueue
  }
}

module diagnosticHub 'diagnostic-hub.bicep' = [
  for region in regions: {
    name: 'diagnostic-hub-${region}'
    params: {
      name: diagnosticNamespaceName(token, region)
      location: region
      tags: tags
      principalId: identity.outputs.principalId
      seed: token
      isPrivate: privateNetworking
      eventHubName: names.diagnosticEventHub
      // Events know no region: one event hub takes those of all.
      streamedEventHubName: privateNetworking && region == regions[0] ? names.streamedEventHub : ''
    }
  }
]

module observability 'observability.bicep' = {
  params: {
    workspaceName: 'log-policysync-${token}'
    componentName: 'appi-policysync-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    seed: token
    logRetentionDays: logRetentionDays
    dailyQuotaGb: logDailyQuotaGb
  }
}

module network 'network.bicep' = if (privateNetworking) {
  params: {
    name: 'vnet-policysync-${token}'
    location: location
    tags: tags
    plan: plan
    addressPrefix: networkAddressPrefix
  }
}

var clientId = identity.outputs.clientId
var configurationAddress = configurationInBlob
  ? '${configuration!.outputs.blobEndpoint}${names.configurationContainer}/${names.configurationBlob}'
  : ''

// A user-assigned identity has to be named wherever one is used: the host, each connection and our own code.
var settings = union(
  {
    APPLICATIONINSIGHTS_CONNECTION_STRING: observability.outputs.connectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
    AZURE_CLIENT_ID: clientId
    AzureWebJobsStorage__blobServiceUri: storage.outputs.blobEndpoint
    AzureWebJobsStorage__clientId: clientId
    AzureWebJobsStorage__credential: 'managedidentity'
    EventGridTopic__clientId: clientId
    EventGridTopic__credential: 'managedidentity'
    EventGridTopic__topicEndpointUri: topic.outputs.endpoint
    // 4 MiB in the place of 100 MB: a submission has 200 KB, an event of Event Grid 1 MB.
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '4194304'
    POLICYSYNC_PARKED_QUEUE: names.parkedQueue
    POLICYSYNC_QUEUE: names.requestQueue
    POLICYSYNC_RECONCILE_SCHEDULE: reconcileSchedule
    POLICYSYNC_REPORT_SCHEDULE: reportSchedule
    ServiceBusConnection__clientId: clientId
    ServiceBusConnection__credential: 'managedidentity'
    ServiceBusConnection__fullyQualifiedNamespace: queue.outputs.hostName
  },
  auditOnly ? { POLICYSYNC_MODE: 'audit' } : {},
  configurationInBlob ? { POLICYSYNC_CONFIG: configurationAddress } : {},
  signIn == null ? {} : { OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: clientId }
)

module functionApp 'function-app.bicep' = {
  params: {
    name: appName
    planName: 'plan-policysync-${token}'
    location: location
    tags: union(tags, { 'azd-service-name': 'policysync' })
    planTags: tags
    plan: plan
    identityId: identity.outputs.id
    packageIdentityId: packageIdentity.?outputs.id ?? ''
    packageContainerUri: '${packages.outputs.blobEndpoint}${names.packageContainer}'
    subnetId: network.?outputs.appSubnetId ?? ''
    isPrivate: privateNetworking
    settings: settings
    clientId: clientId
    eventHubHosts: [for (region, index) in regions: diagnosticHub[index].outputs.hostName]
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    siteUpdateStrategy: siteUpdateStrategy
    alwaysReady: alwaysReady
  }
}

module signInSettings 'sign-in.bicep' = if (signIn != null) {
  params: {
    appName: appName
    signIn: signIn!
  }
  dependsOn: [functionApp]
}

module endpoints 'endpoints.bicep' = if (privateNetworking) {
  params: {
    token: token
    location: location
    tags: tags
    network: network!.outputs.parts
    storageId: storage.outputs.id
    packageStorageId: packages.outputs.id
    configurationInBlob: configurationInBlob
    configurationStorageId: configuration.?outputs.id ?? ''
    topicId: topic.outputs.id
    serviceBusId: queue.outputs.id
    eventHubsIds: [for (region, index) in regions: diagnosticHub[index].outputs.id]
    appId: functionApp.outputs.id
  }
}

module topic 'event-topic.bicep' = {
  params: {
    name: topicName
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    seed: token
    isPrivate: privateNetworking
  }
}

var eventFunctionId = '${functionApp.outputs.id}/functions/${names.eventFunction}'

module createdSubscription 'created-subscription.bicep' = if (takesEvents && !privateNetworking) {
  params: {
    topicName: topicName
    name: 'policysync'
    functionId: eventFunctionId
  }
}

// A private app reads its events from an event hub: push comes from outside.
module createdSender 'stream-sender.bicep' = if (takesEvents && privateNetworking) {
  params: {
    namespaceName: diagnosticNamespaceName(token, regions[0])
    principalId: topic.outputs.topicPrincipalId
    seed: topicName
  }
  dependsOn: [diagnosticHub]
}

module createdStream 'created-stream.bicep' = if (takesEvents && privateNetworking) {
  params: {
    topicName: topicName
    name: 'policysync'
    eventHubId: '${diagnosticHub[0].outputs.id}/eventhubs/${names.streamedEventHub}'
  }
  dependsOn: [createdSender]
}

module actionGroup 'action-group.bicep' = {
  params: {
    name: 'ag-policysync-${token}'
    tags: tags
    emails: alertEmails
    webhooks: alertWebhooks
  }
}

module alerts 'alerts.bicep' = {
  params: {
    namePrefix: 'policysync-${token}'
    location: location
    tags: tags
    componentId: observability.outputs.componentId
    serviceBusId: queue.outputs.id
    requestQueue: names.requestQueue
    parkedQueue: names.parkedQueue
    actionGroupId: actionGroup.outputs.id
    reportLateMinutes: reportLateMinutes
    reconcileLateMinutes: reconcileLateMinutes
  }
}

module workbook 'workbook.bicep' = {
  params: {
    location: location
    tags: tags
    componentId: observability.outputs.componentId
  }
}

@description('Name of the function app.')
output appName string = appName

@description('Host name of the function app.')
output hostName string = functionApp.outputs.hostName

@description('Principal id of the identity.')
output principalId string = identity.outputs.principalId

@description('The storage account of the package.')
output packageAccountName string = packageAccountName(token)

@description('Address of the configuration, where it is a blob; empty where it is a file of the package.')
output configurationAddress string = configurationAddress

@description('ARM id of the function that takes events; it exists once the app is deployed.')
output eventFunctionId string = eventFunctionId

@description('Where events are published to.')
output topicEndpoint string = topic.outputs.endpoint

@description('ARM id of the event hub for the events of a private app.')
output streamId string = '${diagnosticHub[0].outputs.id}/eventhubs/${names.streamedEventHub}'

@description('Where the records of each region go.')
output diagnosticHubs { region: string, senderRuleId: string }[] = [
  for (region, index) in regions: {
    region: region
    senderRuleId: diagnosticHub[index].outputs.senderRuleId
  }
]
