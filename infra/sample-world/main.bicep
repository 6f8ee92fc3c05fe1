// A small world to try Policysync on: a namespace with a credential and a policy, a provisioning service, two hubs, and the
// roles with which these services reach each other. Generation A of the service: policies are synced on request.
//
// az group create --name rg-policysync-sample --location westeurope
// az deployment group create --resource-group rg-policysync-sample --template-file infra/sample-world/main.bicep --parameters infra/sample-world/main.bicepparam

targetScope = 'resourceGroup'

@description('Part of every name.')
@minLength(3)
@maxLength(20)
param name string

@description('Region of everything: the provisioning service has to be in that of the namespace. Offered: eastus, eastus2, northeurope, westeurope, westus, westus2.')
param location string = resourceGroup().location

@description('Object id of the enterprise application "IoT Hub" in your tenant: az ad sp show --id 89d10474-74af-4874-99a7-c23c2f643083 --query id. It finishes the links of hubs.')
@minLength(36)
@maxLength(36)
param iotHubServicePrincipalId string

@description('Days that a device certificate is valid.')
@minValue(7)
@maxValue(90)
param leafValidityDays int = 30

@description('Tags.')
param tags object = {}

// What the services need of each other (built-in roles).
var deviceRegistryContributor = 'a5c3590a-3a1a-4cd4-9648-ea0a32b15137'
var deviceRegistryOnboarding = '547f7f0a-69c0-4807-bd9e-0321dfb66a84'
var iotHubRegistryContributor = '4ea46cd5-c1b2-4a8e-910b-273211f9ce47'
var contributor = 'b24988ac-6180-42a0-ab88-20f7382dd24c'

var hubNames = ['${name}-north', '${name}-south']

// Hubs and the provisioning service act as this identity.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${name}-links'
  location: location
  tags: tags
}

// Generation A lives in this version; the newer ones do not know its credential.
resource namespace 'Microsoft.DeviceRegistry/namespaces@2026-03-01-preview' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {}

  resource credential 'credentials' = {
    name: 'default'
    location: location
    tags: tags
    properties: {}

    resource policy 'policies' = {
      name: 'default'
      properties: {
        certificate: {
          certificateAuthorityConfiguration: { keyType: 'ECC' }
          leafCertificateConfiguration: { validityPeriodInDays: leafValidityDays }
        }
      }
    }
  }
}

resource onNamespace 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [deviceRegistryContributor, deviceRegistryOnboarding]: {
    name: guid(namespace.id, identity.id, role)
    scope: namespace
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

// The service asks for it on the whole group, so use a group of its own.
resource onGroup 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, iotHubServicePrincipalId, contributor)
  properties: {
    principalId: iotHubServicePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', contributor)
  }
}

resource hubs 'Microsoft.Devices/IotHubs@2026-03-01-preview' = [
  for hub in hubNames: {
    name: hub
    location: location
    tags: tags
    sku: { name: 'GEN2', capacity: 1 }
    identity: {
      type: 'UserAssigned'
      userAssignedIdentities: { '${identity.id}': {} }
    }
    properties: {
      disableLocalAuth: true
      minTlsVersion: '1.2'
      deviceRegistry: {
        namespaceResourceId: namespace.id
        identityResourceId: identity.id
      }
    }
    dependsOn: [onNamespace, onGroup]
  }
]

// A sync is done by the namespace itself: it writes CA certificates to hubs, which takes both.
module syncAccess 'hub-roles.bicep' = [
  for (hub, index) in hubNames: {
    params: {
      hubName: hubs[index].name
      principalId: namespace.identity.principalId
      seed: 'namespace'
      roleIds: [contributor, iotHubRegistryContributor]
    }
  }
]

// The provisioning service registers devices on hubs.
module registerAccess 'hub-roles.bicep' = [
  for (hub, index) in hubNames: {
    params: {
      hubName: hubs[index].name
      principalId: identity.properties.principalId
      seed: 'links'
      roleIds: [iotHubRegistryContributor]
    }
  }
]

resource provisioningService 'Microsoft.Devices/provisioningServices@2026-03-01-preview' = {
  name: '${name}-dps'
  location: location
  tags: tags
  sku: { name: 'S1', capacity: 1 }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    allocationPolicy: 'Hashed'
    deviceRegistryNamespace: {
      resourceId: namespace.id
      authenticationType: 'UserAssigned'
      selectedUserAssignedIdentityResourceId: identity.id
    }
    iotHubs: [
      for (hub, index) in hubNames: {
        hostName: hubs[index].properties.hostName
        authenticationType: 'UserAssigned'
        selectedUserAssignedIdentityResourceId: identity.id
        location: location
        applyAllocationPolicy: true
        allocationWeight: 1
      }
    ]
  }
  dependsOn: [onNamespace, registerAccess]
}

@description('For `namespaceIds` of the app.')
output namespaceId string = namespace.id

@description('For `hubIds` of the app.')
output hubIds string[] = [for hub in hubNames: resourceId('Microsoft.Devices/IotHubs', hub)]

@description('For `provisioningServices` of the app.')
output provisioningServiceId string = provisioningService.id
