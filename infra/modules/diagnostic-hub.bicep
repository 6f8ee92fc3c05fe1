// Where the provisioning services of one region send their diagnostic records: an event hub of that region.

import { roles } from 'roles.bicep'

@description('Name of the namespace.')
@minLength(6)
@maxLength(50)
param name string

@description('Region: that of the provisioning services.')
param location string

@description('Tags.')
param tags object

@description('Makes the names of role assignments: known before anything is deployed, so that a preview is exact.')
param seed string

@description('Principal id of the app\'s identity.')
param principalId string

@description('Whether the namespace is reached through a private endpoint only. The Basic tier has none.')
param isPrivate bool

@description('Name of the event hub. function.json names it too.')
@minLength(1)
@maxLength(256)
param eventHubName string

@description('Name of a second event hub, for the events of a private app; empty for none.')
@maxLength(256)
param streamedEventHubName string

resource namespace 'Microsoft.EventHub/namespaces@2026-01-01' = {
  name: name
  location: location
  tags: tags
  sku: isPrivate ? { name: 'Standard', tier: 'Standard', capacity: 1 } : { name: 'Basic', tier: 'Basic', capacity: 1 }
  properties: {
    // The one place where keys stay on: Azure Monitor writes diagnostic records with a SAS rule and knows no other way.
    // The rule below can send and nothing else, which is enough since the setting names the event hub; no program reads its key.
    disableLocalAuth: false
    minimumTlsVersion: '1.2'
    // Azure Monitor comes from outside; as a trusted service it passes the network rules below.
    publicNetworkAccess: 'Enabled'
  }

  resource hub 'eventhubs' = {
    name: eventHubName
    properties: {
      // A few records a minute at most. Two partitions let two instances read.
      partitionCount: 2
      // A record may get lost after a day: the timer finds its group within a quarter of an hour.
      retentionDescription: {
        cleanupPolicy: 'Delete'
        retentionTimeInHours: 24
      }
    }
  }

  resource streamed 'eventhubs' = if (!empty(streamedEventHubName)) {
    name: empty(streamedEventHubName) ? 'none' : streamedEventHubName
    properties: {
      partitionCount: 2
      retentionDescription: {
        cleanupPolicy: 'Delete'
        retentionTimeInHours: 24
      }
    }
  }

  // On the namespace, since a diagnostic setting takes no other.
  resource sender 'authorizationRules' = {
    name: 'diagnostic-settings'
    properties: { rights: ['Send'] }
  }

  resource network 'networkRuleSets' = if (isPrivate) {
    name: 'default'
    properties: {
      defaultAction: 'Deny'
      publicNetworkAccess: 'Enabled'
      trustedServiceAccessEnabled: true
    }
  }
}

resource receive 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace::hub.id, seed, roles.eventHubsDataReceiver)
  scope: namespace::hub
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataReceiver)
  }
}

resource receiveStreamed 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(streamedEventHubName)) {
  name: guid(namespace::streamed.id, seed, roles.eventHubsDataReceiver)
  scope: namespace::streamed
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataReceiver)
  }
}

@description('ARM id of the namespace.')
output id string = namespace.id

@description('Host name, as the connection settings want it.')
output hostName string = split(split(namespace.properties.serviceBusEndpoint, '//')[1], ':')[0]

@description('ARM id of the rule that diagnostic settings send with. Its key is never read.')
output senderRuleId string = namespace::sender.id
