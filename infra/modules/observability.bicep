// Logs and telemetry, without a key: a sender needs a role.

import { roles } from 'roles.bicep'

@description('Name of the Log Analytics workspace.')
@minLength(4)
@maxLength(63)
param workspaceName string

@description('Name of the Application Insights component.')
@minLength(1)
@maxLength(255)
param componentName string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Makes the names of role assignments: known before anything is deployed, so that a preview is exact.')
param seed string

@description('Principal id of the app\'s identity.')
param principalId string

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int

@description('Most that may be taken in per day, in GB. It bounds the bill; the workspace drops what comes beyond it.')
@minValue(1)
param dailyQuotaGb int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: logRetentionDays
    workspaceCapping: { dailyQuotaGb: dailyQuotaGb }
    features: { disableLocalAuth: true }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    WorkspaceResourceId: workspace.id
  }
}

resource publish 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, seed, roles.monitoringMetricsPublisher)
  scope: component
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
  }
}

@description('ARM id of the workspace.')
output workspaceId string = workspace.id

@description('ARM id of the component.')
output componentId string = component.id

@secure()
@description('Where telemetry goes. It opens nothing, since the component takes an identity with a role and no key; it stays out of the deployment\'s history all the same.')
output connectionString string = component.properties.ConnectionString
