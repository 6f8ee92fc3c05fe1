// The sample world of generation B of the service: certificate authorities, which the service itself pushes to linked hubs.
// A namespace, a provisioning service, two hubs, a root CA, an issuing CA and a policy.
//
// In four stages, since the service wants an order (`ca-lifecycle-facts.md` 4.1, 4.2): the resources with their roles on each
// other; the link to the provisioning service; then those to the hubs; certificate authorities once the links are made. A stage
// holds those before it and can be repeated; an earlier one after a later one would take links out of the namespace.
//
// az group create --name rg-policysync-sample-b --location uksouth
// STAGE=resources az deployment group create --resource-group rg-policysync-sample-b --template-file infra/sample-world/certificate-authorities/main.bicep --parameters infra/sample-world/certificate-authorities/main.bicepparam
// The same with STAGE=provisioning-service, STAGE=hubs and STAGE=certificate-authorities.

targetScope = 'resourceGroup'

@description('Part of every name.')
@minLength(3)
@maxLength(20)
param name string

@description('Region of everything: hubs and provisioning service have to be in that of the namespace. Offered (September 2026): australiaeast, centralus, japaneast, uksouth.')
param location string = resourceGroup().location

@description('How far the world is made.')
param stage 'resources' | 'provisioning-service' | 'hubs' | 'certificate-authorities'

@description('Days that a device certificate is valid.')
@minValue(7)
@maxValue(90)
param leafValidityDays int = 30

@description('Tags.')
param tags object = {}

// What the services need of each other (built-in roles).
var contributor = 'b24988ac-6180-42a0-ab88-20f7382dd24c'
var iotHubDataContributor = '4fc6c259-987e-4a07-842e-c321cc9d413f'
var deviceRegistryAdministrator = '12675fd7-7f59-493f-9201-f7944860a2f1'

var hubNames = ['${name}-north', '${name}-south']

var linksProvisioningService = stage != 'resources'
var linksHubs = linksProvisioningService && stage != 'provisioning-service'
var hasAuthorities = stage == 'certificate-authorities'

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
      // A link wants it.
      publicNetworkAccess: 'Enabled'
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

// It acts as its own system-assigned identity, which a link to a provisioning service needs whatever the outbound identity is.
resource namespace 'Microsoft.DeviceRegistry/namespaces@2026-11-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    outboundIdentity: { type: 'SystemAssigned' }
    provisioning: {
      endpoints: linksProvisioningService
        ? {
            dps: {
              endpointType: 'Microsoft.Devices/provisioningServices'
              resourceId: provisioningService.id
              inboundCallerIdentity: { type: 'SystemAssigned' }
            }
          }
        : {}
    }
    messaging: {
      endpoints: toObject(linksHubs ? hubNames : [], hub => hub, hub => {
        endpointType: 'Microsoft.Devices/IotHubs'
        resourceId: resourceId('Microsoft.Devices/IotHubs', hub)
        inboundCallerIdentity: { type: 'SystemAssigned' }
        provisioning: { availability: 'Available', allocationWeight: 1 }
      })
    }
  }
  dependsOn: [hubs]

  resource root 'certificateAuthorities' = if (hasAuthorities) {
    name: 'root'
    location: location
    tags: tags
    properties: { certificateAuthorityType: 'Root', keyType: 'ECC' }
  }

  resource issuer 'certificateAuthorities' = if (hasAuthorities) {
    name: 'issuer'
    location: location
    tags: tags
    properties: {
      certificateAuthorityType: 'ICA'
      keyType: 'ECC'
      issuer: { issuerType: 'Microsoft', certificateAuthorityResourceId: root.id }
    }

    resource policy 'certificatePolicies' = if (hasAuthorities) {
      name: 'default'
      properties: {
        certificate: { validityPeriodInDays: leafValidityDays }
      }
    }
  }
}

// The namespace on the hubs, on the provisioning service and on itself.
module onHubs '../hub-roles.bicep' = [
  for (hub, index) in hubNames: {
    params: {
      hubName: hubs[index].name
      principalId: namespace.identity.principalId
      seed: 'namespace'
      roleIds: [contributor, iotHubDataContributor]
    }
  }
]

resource onProvisioningService 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(provisioningService.id, 'namespace', contributor)
  scope: provisioningService
  properties: {
    principalId: namespace.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', contributor)
  }
}

resource onItself 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace.id, 'namespace', deviceRegistryAdministrator)
  scope: namespace
  properties: {
    principalId: namespace.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', deviceRegistryAdministrator)
  }
}

// Hubs and provisioning service on the namespace.
resource hubsOnNamespace 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (hub, index) in hubNames: {
    name: guid(namespace.id, hub, contributor)
    scope: namespace
    properties: {
      principalId: hubs[index].identity.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', contributor)
    }
  }
]

resource provisioningServiceOnNamespace 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace.id, provisioningService.id, contributor)
  scope: namespace
  properties: {
    principalId: provisioningService.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', contributor)
  }
}

@description('For `namespaceIds` of the app.')
output namespaceId string = namespace.id

@description('For `hubIds` of the app.')
output hubIds string[] = [for hub in hubNames: resourceId('Microsoft.Devices/IotHubs', hub)]

@description('For `provisioningServices` of the app.')
output provisioningServiceId string = provisioningService.id
