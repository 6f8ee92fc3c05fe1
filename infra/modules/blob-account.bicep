// A storage account with one container: no keys, nothing public.

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Whether the account is reached through a private endpoint only.')
param isPrivate bool

@description('Its container.')
param container string

@description('Whether each version of a blob is kept, and what is deleted for 30 days.')
param keepsVersions bool = false

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
    supportsHttpsTrafficOnly: true
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: keepsVersions
      ? {
          isVersioningEnabled: true
          deleteRetentionPolicy: { enabled: true, days: 30 }
          containerDeleteRetentionPolicy: { enabled: true, days: 30 }
        }
      : {}

    resource only 'containers' = {
      name: container
      properties: { publicAccess: 'None' }
    }
  }
}

@description('ARM id.')
output id string = account.id

@description('Address of the blob service.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
