// One private endpoint with its name in the private zone.

@description('Name of the endpoint.')
@minLength(2)
@maxLength(64)
param name string

@description('Region of the network.')
param location string

@description('Tags.')
param tags object

@description('Subnet.')
param subnetId string

@description('Private DNS zone.')
param zoneId string

@description('What it leads to.')
param targetId string

@description('Which part of it: `blob`, `namespace`, `sites` or `topic`.')
@allowed(['blob', 'namespace', 'sites', 'topic'])
param groupId string

resource endpoint 'Microsoft.Network/privateEndpoints@2025-01-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: {
          privateLinkServiceId: targetId
          groupIds: [groupId]
        }
      }
    ]
  }

  resource zone 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        { name: groupId, properties: { privateDnsZoneId: zoneId } }
      ]
    }
  }
}
