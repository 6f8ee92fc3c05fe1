// Storage of the package, and of nothing else: the identity that the app runs as can read it at the most.

import { roles } from 'roles.bicep'

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Makes the names of role assignments: known before anything is deployed, so that a preview is exact.')
param seed string

@description('Whether the account is reached through a private endpoint only.')
param isPrivate bool

@description('Container of the package.')
param packageContainer string

@description('Principal id of the identity that gets at the package.')
param principalId string

@description('Whether it stores the package too.')
param canWrite bool

module account 'blob-account.bicep' = {
  params: {
    name: name
    location: location
    tags: tags
    isPrivate: isPrivate
    container: packageContainer
  }
}

resource created 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: name
}

var roleId = canWrite ? roles.storageBlobDataContributor : roles.storageBlobDataReader

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(created.id, seed, roleId)
  scope: created
  dependsOn: [account]
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
  }
}

@description('ARM id.')
output id string = account.outputs.id

@description('Address of the blob service.')
output blobEndpoint string = account.outputs.blobEndpoint
