// The custom topic: whoever creates an enrollment group can say so here. Publishing needs the role `EventGrid Data Sender`
// on the topic, given to each publisher by hand; our own identity publishes nothing.

@description('Name of the topic.')
@minLength(3)
@maxLength(50)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

@description('Where events are published to.')
output endpoint string = topic.properties.endpoint
