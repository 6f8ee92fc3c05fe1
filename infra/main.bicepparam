using 'main.bicep'

// Replace what is below by what you have. `azd` fills in its environment's name, its region and the stage; without `azd` the
// defaults behind the names hold.

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'uksouth')

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
    location: 'uksouth'
  }
]

// Which generation of the service these namespaces are of: docs/deploy.md says how to see which your subscription has.
param generations = ['certificate-authorities']
// Where groups with symmetric keys are to get policies; it lets the app read every symmetric key of the services above:
// param symmetricKeyAccess = true
// Where the app is to make the certificate authorities and policies that policysync.toml declares (`manage = true`):
// param manageAuthorities = true

// Who is told.
param alertEmails = ['iot-operations@contoso.com']
