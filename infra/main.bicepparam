using 'main.bicep'

// Replace what is below by what you have. `azd` fills in its environment's name, its region and the stage; without `azd` the
// defaults behind the names hold.

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')

// What is looked after. All of it exists already.
param namespaceIds = [
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-iot/providers/Microsoft.DeviceRegistry/namespaces/contoso'
]
param hubIds = [
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-iot/providers/Microsoft.Devices/IotHubs/contoso-north'
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-iot/providers/Microsoft.Devices/IotHubs/contoso-south'
]
param provisioningServices = [
  {
    id: '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-iot/providers/Microsoft.Devices/provisioningServices/contoso-dps'
    location: 'westeurope'
  }
]

// Who is told.
param alertEmails = ['iot-operations@contoso.com']
