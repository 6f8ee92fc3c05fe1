// Storage of the host and of our records; old records are removed. The package is elsewhere, so that
// an identity that can write records cannot change what runs.

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

@description('Principal id of the app\'s identity.')
param principalId string

@description('Whether the account is reached through a private endpoint only.')
param isPrivate bool

@description('Days after its last change until a record is removed. The report writes the records again that the app still needs.')
@minValue(30)
param recordRetentionDays int

@description('Container of the records.')
param recordContainer string

module account 'blob-account.bicep' = {
  params: {
    name: name
    location: location
    tags: tags
    isPrivate: isPrivate
    container: recordContainer
  }
}

resource created 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: name

  // Records are small and many; this bounds what they cost. The report is written every hour, so it never ages.
  resource lifecycle 'managementPolicies' = {
    name: 'default'
    dependsOn: [account]
    properties: {
      policy: {
        rules: [
          {
            name: 'remove-old-records'
            enabled: true
            type: 'Lifecycle'
            definition: {
              filters: {
                blobTypes: ['blockBlob']
                prefixMatch: ['${recordContainer}/']
              }
              actions: {
                baseBlob: { delete: { daysAfterModificationGreaterThan: recordRetentionDays } }
              }
            }
          }
        ]
      }
    }
  }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(created.id, seed, roles.storageBlobDataOwner)
  scope: created
  dependsOn: [account]
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataOwner)
  }
}

@description('ARM id.')
output id string = account.outputs.id

@description('Address of the blob service.')
output blobEndpoint string = account.outputs.blobEndpoint
