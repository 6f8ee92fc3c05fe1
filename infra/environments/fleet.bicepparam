using '../main.bicep'

// Two subscriptions, two regions, and events: the second stage, after the app is deployed.

param environmentName = 'fleet'
param location = 'westeurope'
param eventSubscriptions = true

param namespaceIds = [
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-iot/providers/Microsoft.DeviceRegistry/namespaces/contoso-plants'
  '/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-iot/providers/Microsoft.DeviceRegistry/namespaces/contoso-logistics'
]
param hubIds = [
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-iot/providers/Microsoft.Devices/IotHubs/contoso-plants-north'
  '/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-iot/providers/Microsoft.Devices/IotHubs/contoso-logistics-south'
]
param provisioningServices = [
  {
    id: '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-iot/providers/Microsoft.Devices/provisioningServices/contoso-plants-dps'
    location: 'westeurope'
  }
  {
    id: '/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-iot/providers/Microsoft.Devices/provisioningServices/contoso-logistics-dps'
    location: 'uksouth'
  }
]

// A namespace of each generation, whose authorities and policies the app makes, and groups with symmetric keys.
param generations = ['credentials', 'certificate-authorities']
param symmetricKeyAccess = true
param manageAuthorities = true

// The configuration is changed without a new package.
param configurationInBlob = true

param alertEmails = ['iot-operations@contoso.com']
param maximumInstanceCount = 100
param instanceMemoryMB = 2048
param siteUpdateStrategy = 'RollingUpdate'
param alwaysReady = [{ name: 'http', instanceCount: 1 }]
