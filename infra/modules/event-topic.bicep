// The custom topic: the app announces findings here, and a pipeline that creates an enrollment group can say so. Publishing needs the
// role `EventGrid Data Sender` on the topic: the app has it, other publishers are given it by hand.

import { roles } from 'roles.bicep'

@description('Name of the topic.')
@minLength(3)
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

@description('Whether the topic is reached through a private endpoint only. It has an identity then, with which it writes to an event hub.')
param isPrivate bool

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  identity: { type: isPrivate ? 'SystemAssigned' : 'None' }
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
  }
}

resource publish 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(topic.id, seed, roles.eventGridDataSender)
  scope: topic
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventGridDataSender)
  }
}

@description('ARM id.')
output id string = topic.id

@description('Principal id of the topic\'s identity; empty without one.')
output topicPrincipalId string = isPrivate ? topic.identity.principalId : ''

@description('Where events are published to.')
output endpoint string = topic.properties.endpoint
