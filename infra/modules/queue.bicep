// Service Bus: the queue of sync requests, and the one for messages that no function could parse.

import { roles } from 'roles.bicep'

@description('Name of the namespace.')
@minLength(6)
@maxLength(50)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Makes the names of role assignments: known before anything is deployed, so that a preview is exact.')
param seed string

@description('Principal id of the app\'s identity.')
param principalId string

@description('Whether the namespace is reached through a private endpoint only. Only the Premium tier has those.')
param isPrivate bool

@description('Queue of sync requests and scheduled follow-ups.')
@minLength(1)
@maxLength(260)
param requestQueue string

@description('Queue of messages that could not be understood.')
@minLength(1)
@maxLength(260)
param parkedQueue string

resource namespace 'Microsoft.ServiceBus/namespaces@2026-01-01' = {
  name: name
  location: location
  tags: tags
  sku: isPrivate ? { name: 'Premium', tier: 'Premium', capacity: 1 } : { name: 'Standard', tier: 'Standard' }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
  }

  resource requests 'queues' = {
    name: requestQueue
    properties: {
      // The host does not renew the locks of a batch while it is worked on; a step takes less than this (host-json.md).
      lockDuration: 'PT1M'
      maxDeliveryCount: 10
      // The message id is the request's, or the sync's with its attempt: a repeated send within the window is dropped.
      requiresDuplicateDetection: true
      duplicateDetectionHistoryTimeWindow: 'PT1H'
      // A caller that waits longer than a week has asked again; the dead-letter queue tells of it.
      defaultMessageTimeToLive: 'P7D'
      deadLetteringOnMessageExpiration: true
    }
  }

  resource parked 'queues' = {
    name: parkedQueue
    properties: {
      lockDuration: 'PT5M'
      maxDeliveryCount: 10
      // A second copy of the same unreadable message, after a batch was delivered again, is one to look at.
      requiresDuplicateDetection: true
      duplicateDetectionHistoryTimeWindow: 'PT1H'
      // People read it. An alert tells them; after a month they will not look any more.
      defaultMessageTimeToLive: 'P30D'
      deadLetteringOnMessageExpiration: false
    }
  }
}

// Receiving from one queue, sending to two, nothing about the namespace.
resource receive 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace::requests.id, seed, roles.serviceBusDataReceiver)
  scope: namespace::requests
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.serviceBusDataReceiver)
  }
}

resource send 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace::requests.id, seed, roles.serviceBusDataSender)
  scope: namespace::requests
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.serviceBusDataSender)
  }
}

resource park 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace::parked.id, seed, roles.serviceBusDataSender)
  scope: namespace::parked
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.serviceBusDataSender)
  }
}

@description('ARM id.')
output id string = namespace.id

@description('Host name, as the connection settings want it.')
output hostName string = split(split(namespace.properties.serviceBusEndpoint, '//')[1], ':')[0]
