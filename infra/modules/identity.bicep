// The identity that the app runs as. User-assigned, so that its rights exist before the app and outlive it.

@description('Name of the identity.')
@minLength(3)
@maxLength(128)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('ARM id.')
output id string = identity.id

@description('Client id: what every setting that names the identity holds.')
output clientId string = identity.properties.clientId

@description('Principal id: what roles are assigned to.')
output principalId string = identity.properties.principalId
