// Roles of one of the services on one hub.

@description('Name of the hub.')
param hubName string

@description('Principal id of the service\'s identity.')
param principalId string

@description('Makes the names of the assignments: known before anything is deployed, so that a preview is exact.')
param seed string

@description('Built-in roles (GUIDs).')
param roleIds string[]

resource hub 'Microsoft.Devices/IotHubs@2026-03-01-preview' existing = {
  name: hubName
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in roleIds: {
    name: guid(hub.id, seed, role)
    scope: hub
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]
