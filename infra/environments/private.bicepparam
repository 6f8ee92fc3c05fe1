using '../main.bicep'

// Nothing is reached from outside: Elastic Premium in a network of its own, events through an event hub, sign-in with Entra ID,
// and no writes until a person has looked at the first reports.

param environmentName = 'private'
param location = 'westeurope'
param plan = 'premium'
param privateNetworking = true
param eventSubscriptions = true
param auditOnly = true

param signIn = {
  clientId: '00000000-0000-0000-0000-0000000000aa'
  audiences: ['api://00000000-0000-0000-0000-0000000000aa']
  callers: ['00000000-0000-0000-0000-0000000000bb']
}

param namespaceIds = [
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-iot/providers/Microsoft.DeviceRegistry/namespaces/fabrikam'
]
param hubIds = [
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-iot/providers/Microsoft.Devices/IotHubs/fabrikam-1'
]
param provisioningServices = [
  {
    id: '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-iot/providers/Microsoft.Devices/provisioningServices/fabrikam-dps'
    location: 'westeurope'
  }
]

param generations = ['credentials']

param alertEmails = ['iot-operations@fabrikam.com']
