// A resource group in another subscription than the app's, for the topic of that subscription: a topic is where its source is.

targetScope = 'subscription'

@description('Name of the group.')
@minLength(1)
@maxLength(90)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: name
  location: location
  tags: tags
}
