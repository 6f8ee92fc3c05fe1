// An existing provisioning service: its records to the event hub of its region, its groups to the app.

@description('Name of the existing provisioning service.')
param name string

@description('Name of the diagnostic setting; that of the app, so that several apps can watch one service.')
@minLength(1)
@maxLength(260)
param settingName string

@description('ARM id of the rule that records are sent with.')
param senderRuleId string

@description('Event hub that records go to.')
param eventHubName string

@description('Makes the names of role assignments: known before anything is deployed, so that a preview is exact.')
param seed string

@description('Principal id of the app\'s identity.')
param principalId string

@description('The custom roles of the app for it (GUIDs).')
@minLength(1)
param roleIds string[]

resource service 'Microsoft.Devices/provisioningServices@2025-02-01-preview' existing = {
  name: name
}

resource records 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: settingName
  scope: service
  properties: {
    eventHubAuthorizationRuleId: senderRuleId
    eventHubName: eventHubName
    // What is done to enrollment groups. `DeviceOperations` would be a record per device and nothing for us.
    logs: [{ category: 'ServiceOperations', enabled: true }]
  }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for roleId in roleIds: {
    name: guid(service.id, seed, roleId)
    scope: service
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
    }
  }
]
