// The private endpoints of everything that the app talks to, and of the app itself.

import { networkType } from 'types.bicep'

@description('Makes names unique.')
param token string

@description('Region of the network.')
param location string

@description('Tags.')
param tags object

@description('The network.')
param network networkType

@description('The storage account.')
param storageId string

@description('The storage account of the package.')
param packageStorageId string

@description('Whether the configuration is a blob.')
param configurationInBlob bool

@description('The storage account of the configuration; empty where it is a file of the package.')
param configurationStorageId string

@description('The custom topic.')
param topicId string

@description('The Service Bus namespace.')
param serviceBusId string

@description('The Event Hubs namespaces.')
param eventHubsIds string[]

@description('The function app.')
param appId string

module blob 'private-endpoint.bicep' = {
  params: {
    name: 'pep-blob-${token}'
    location: location
    tags: tags
    subnetId: network.endpointSubnetId
    zoneId: network.blobZoneId
    targetId: storageId
    groupId: 'blob'
  }
}

module packages 'private-endpoint.bicep' = {
  params: {
    name: 'pep-packages-${token}'
    location: location
    tags: tags
    subnetId: network.endpointSubnetId
    zoneId: network.blobZoneId
    targetId: packageStorageId
    groupId: 'blob'
  }
}

module configuration 'private-endpoint.bicep' = if (configurationInBlob) {
  params: {
    name: 'pep-configuration-${token}'
    location: location
    tags: tags
    subnetId: network.endpointSubnetId
    zoneId: network.blobZoneId
    targetId: configurationStorageId
    groupId: 'blob'
  }
}

module topic 'private-endpoint.bicep' = {
  params: {
    name: 'pep-evgt-${token}'
    location: location
    tags: tags
    subnetId: network.endpointSubnetId
    zoneId: network.eventGridZoneId
    targetId: topicId
    groupId: 'topic'
  }
}

module serviceBus 'private-endpoint.bicep' = {
  params: {
    name: 'pep-sbns-${token}'
    location: location
    tags: tags
    subnetId: network.endpointSubnetId
    zoneId: network.serviceBusZoneId
    targetId: serviceBusId
    groupId: 'namespace'
  }
}

module eventHubs 'private-endpoint.bicep' = [
  for (id, index) in eventHubsIds: {
    params: {
      name: 'pep-evhns-${index}-${token}'
      location: location
      tags: tags
      subnetId: network.endpointSubnetId
      zoneId: network.serviceBusZoneId
      targetId: id
      groupId: 'namespace'
    }
  }
]

module sites 'private-endpoint.bicep' = {
  params: {
    name: 'pep-func-${token}'
    location: location
    tags: tags
    subnetId: network.endpointSubnetId
    zoneId: network.sitesZoneId
    targetId: appId
    groupId: 'sites'
  }
}
