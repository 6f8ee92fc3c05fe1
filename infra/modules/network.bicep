// A network of its own for the app and for the private endpoints of what it uses.

import { networkType, planType } from 'types.bicep'

@description('Name of the network.')
@minLength(2)
@maxLength(64)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Where the app runs: each plan wants its own delegation of the subnet.')
param plan planType

@description('Address space, a /24 or larger.')
param addressPrefix string

// Names that Azure fixes for private endpoints of each service.
var zoneNames = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.servicebus.windows.net'
  'privatelink.azurewebsites.net'
  'privatelink.eventgrid.azure.net'
]

resource network 'Microsoft.Network/virtualNetworks@2025-01-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          delegations: [
            {
              name: 'functions'
              properties: {
                serviceName: plan == 'flex' ? 'Microsoft.App/environments' : 'Microsoft.Web/serverFarms'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }

  resource appSubnet 'subnets' existing = {
    name: 'app'
  }

  resource endpointSubnet 'subnets' existing = {
    name: 'endpoints'
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in zoneNames: {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in zoneNames: {
    parent: zones[index]
    name: name
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

@description('Subnet of the app.')
output appSubnetId string = network::appSubnet.id

@description('What private endpoints need.')
output parts networkType = {
  endpointSubnetId: network::endpointSubnet.id
  blobZoneId: zones[0].id
  serviceBusZoneId: zones[1].id
  sitesZoneId: zones[2].id
  eventGridZoneId: zones[3].id
}
