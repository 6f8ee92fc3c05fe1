// Storage of the configuration as a blob, in an account of its own: the app can read it and never change what it is told to do, and each
// version is kept.

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

@description('Container of the configuration.')
param container string

@description('Principal id of the app\'s identity.')
param principalId string

module account 'blob-account.bicep' = {
  params: {
    name: name
    location: location
    tags: tags
    isPrivate: isPrivate
    container: container
    keepsVersions: true
  }
}

resource created 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: name

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource only 'containers' existing = {
      name: container
    }
  }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(created::blobs::only.id, seed, roles.storageBlobDataReader)
  scope: created::blobs::only
  dependsOn: [account]
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataReader)
  }
}

@description('ARM id.')
output id string = account.outputs.id

@description('Address of the blob service.')
output blobEndpoint string = account.outputs.blobEndpoint
