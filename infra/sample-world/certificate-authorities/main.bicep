// The sample world of generation B of the service: certificate authorities, which the service itself pushes to linked hubs.
// A namespace, a provisioning service, two hubs, a root CA, an issuing CA and a policy.
//
// Hubs and provisioning service are linked by the namespace here, and an issuing CA wants its hubs linked first.
//
// az group create --name rg-policysync-sample-b --location westeurope
// az deployment group create --resource-group rg-policysync-sample-b --template-file infra/sample-world/certificate-authorities/main.bicep --parameters infra/sample-world/certificate-authorities/main.bicepparam

targetScope = 'resourceGroup'

@description('Part of every name.')
@minLength(3)
@maxLength(20)
param name string

@description('Region of everything. The provisioning service has to be in that of the namespace.')
param location string = resourceGroup().location

@description('Days that a device certificate is valid.')
@minValue(7)
@maxValue(90)
param leafValidityDays int = 30

@description('Tags.')
param tags object = {}

// What the namespace needs on a hub and on a provisioning service to link them and to push CA certificates (built-in roles). Only
// IoT Hub Data Contributor is documented for this generation; the rest is what the generation before it wanted.
var contributor = 'b24988ac-6180-42a0-ab88-20f7382dd24c'
var iotHubDataContributor = '4fc6c259-987e-4a07-842e-c321cc9d413f'
var provisioningDataContributor = 'dfce44e4-17b7-4bd1-a6d1-04996ec95633'

var hubNames = ['${name}-north', '${name}-south']

// The namespace acts as this identity, which is there before the namespace and so can have its roles before the links are made.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${name}-links'
  location: location
  tags: tags
}

resource hubs 'Microsoft.Devices/IotHubs@2026-11-01' = [
  for hub in hubNames: {
    name: hub
    location: location
    tags: tags
    sku: { name: 'S1', capacity: 1 }
    identity: { type: 'SystemAssigned' }
    properties: {
      disableLocalAuth: true
      minTlsVersion: '1.2'
    }
  }
]

resource provisioningService 'Microsoft.Devices/provisioningServices@2026-11-01' = {
  name: '${name}-dps'
  location: location
  tags: tags
  sku: { name: 'S1', capacity: 1 }
  identity: { type: 'SystemAssigned' }
  properties: {
    allocationPolicy: 'Hashed'
    disableLocalAuth: true
  }
}

module hubAccess '../hub-roles.bicep' = [
  for (hub, index) in hubNames: {
    params: {
      hubName: hubs[index].name
      principalId: identity.properties.principalId
      seed: 'links'
      roleIds: [contributor, iotHubDataContributor]
    }
  }
]

resource onProvisioningService 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [contributor, provisioningDataContributor]: {
    name: guid(provisioningService.id, identity.id, role)
    scope: provisioningService
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource namespace 'Microsoft.DeviceRegistry/namespaces@2026-11-01' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    outboundIdentity: { type: 'UserAssigned', userAssignedIdentity: identity.id }
    messaging: {
      endpoints: toObject(range(0, length(hubNames)), index => hubNames[index], index => {
        endpointType: 'Microsoft.Devices/IotHubs'
        resourceId: resourceId('Microsoft.Devices/IotHubs', hubNames[index])
        inboundCallerIdentity: { type: 'SystemAssigned' }
        provisioning: { availability: 'Available', allocationWeight: 1 }
      })
    }
    provisioning: {
      endpoints: {
        dps: {
          endpointType: 'Microsoft.Devices/provisioningServices'
          resourceId: provisioningService.id
          inboundCallerIdentity: { type: 'SystemAssigned' }
        }
      }
    }
  }
  dependsOn: [hubAccess, onProvisioningService]

  resource root 'certificateAuthorities' = {
    name: 'root'
    location: location
    tags: tags
    properties: { certificateAuthorityType: 'Root', keyType: 'ECC' }
  }

  resource issuer 'certificateAuthorities' = {
    name: 'issuer'
    location: location
    tags: tags
    properties: {
      certificateAuthorityType: 'ICA'
      keyType: 'ECC'
      issuer: { issuerType: 'Microsoft', certificateAuthorityResourceId: root.id }
    }

    resource policy 'certificatePolicies' = {
      name: 'default'
      properties: {
        certificate: { validityPeriodInDays: leafValidityDays }
      }
    }
  }
}

@description('For `namespaceIds` of the app.')
output namespaceId string = namespace.id

@description('For `hubIds` of the app.')
output hubIds string[] = [for hub in hubNames: resourceId('Microsoft.Devices/IotHubs', hub)]

@description('For `provisioningServices` of the app.')
output provisioningServiceId string = provisioningService.id
