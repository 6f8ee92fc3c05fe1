// The app's role on one existing namespace.

@description('Name of the existing namespace.')
param name string

@description('Makes the names of role assignments: known before anything is deployed, so that a preview is exact.')
param seed string

@description('Principal id of the app\'s identity.')
param principalId string

@description('The custom roles of the app for it (GUIDs).')
@minLength(1)
param roleIds string[]

resource namespace 'Microsoft.DeviceRegistry/namespaces@2026-04-01' existing = {
  name: name
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for roleId in roleIds: {
    name: guid(namespace.id, seed, roleId)
    scope: namespace
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
    }
  }
]
