// An Event Grid topic may write to the event hub of streamed events.

import { names } from 'names.bicep'
import { roles } from 'roles.bicep'

@description('Name of the event hub namespace.')
param namespaceName string

@description('Makes the name of the role assignment: known before anything is deployed, so that a preview is exact.')
param seed string

@description('Principal id of the topic\'s identity.')
param principalId string

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2026-01-01' existing = {
  name: '${namespaceName}/${names.streamedEventHub}'
}

resource send 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, seed, roles.eventHubsDataSender)
  scope: hub
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataSender)
  }
}
