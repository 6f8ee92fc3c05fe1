// The function app and its plan.
//
// Flex Consumption takes the package from a blob container with an identity for that alone. Elastic Premium runs from a package in the same
// container, so it needs no Azure Files share either: that would need a key of the storage account.

import { alwaysReadyType, planType, siteUpdateStrategyType } from 'types.bicep'

@description('Name of the app.')
@minLength(2)
@maxLength(60)
param name string

@description('Name of the plan.')
@minLength(1)
@maxLength(40)
param planName string

@description('Region.')
param location string

@description('Tags of the app. `azd` finds it by `azd-service-name`.')
param tags object

@description('Tags of the plan.')
param planTags object

@description('Where the app runs.')
param plan planType

@description('ARM id of the identity.')
param identityId string

@description('ARM id of the identity with which Flex Consumption stores and fetches the package.')
param packageIdentityId string

@description('Address of the blob container with the package.')
param packageContainerUri string

@description('Subnet that the app reaches private endpoints through; empty for none.')
param subnetId string

@description('Whether the app itself is reached through a private endpoint only.')
param isPrivate bool

@description('Settings of the app, whatever the plan, beside those of the event hubs.')
param settings object

@description('Client id of the identity.')
param clientId string

@description('Host names of the event hub namespaces, the first region first.')
@minLength(1)
param eventHubHosts string[]

@description('Most instances at once, on Flex Consumption.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int

@description('Memory of an instance in MB, on Flex Consumption.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('How instances are replaced at a deployment, on Flex Consumption.')
param siteUpdateStrategy siteUpdateStrategyType

@description('Instances that are kept warm, on Flex Consumption.')
param alwaysReady alwaysReadyType[]

var isFlex = plan == 'flex'

// assign-policy reads one event hub; a package for several regions has a folder for each further one, and that a connection
// with the region's number at its end. A package without it lets the timer find the groups of those regions.
var eventHubConnections = map(range(0, length(eventHubHosts)), index => {
  'EventHubConnection${index == 0 ? '' : index + 1}__clientId': clientId
  'EventHubConnection${index == 0 ? '' : index + 1}__credential': 'managedidentity'
  'EventHubConnection${index == 0 ? '' : index + 1}__fullyQualifiedNamespace': eventHubHosts[index]
})
var eventHubSettings = reduce(eventHubConnections, {}, (all, one) => union(all, one))

// Only Elastic Premium needs these: Flex Consumption has the runtime and the package in `functionAppConfig`.
var premiumSettings = {
  FUNCTIONS_EXTENSION_VERSION: '~4'
  FUNCTIONS_WORKER_RUNTIME: 'custom'
  WEBSITE_RUN_FROM_PACKAGE: '${packageContainerUri}/policysync.zip'
  WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: identityId
}

resource serverFarm 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: planTags
  kind: isFlex ? 'functionapp' : 'elastic'
  sku: isFlex ? { name: 'FC1', tier: 'FlexConsumption' } : { name: 'EP1', tier: 'ElasticPremium' }
  properties: union({ reserved: true }, isFlex ? {} : { maximumElasticWorkerCount: 3 })
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: union({ '${identityId}': {} }, isFlex ? { '${packageIdentityId}': {} } : {})
  }
  properties: {
    serverFarmId: serverFarm.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: union(
      {
        ftpsState: 'Disabled'
        http20Enabled: true
        minTlsVersion: '1.2'
        scmMinTlsVersion: '1.2'
      },
      isFlex
        ? {}
        : {
            // A custom handler has no language stack of the platform.
            linuxFxVersion: ''
            minimumElasticInstanceCount: 1
            vnetRouteAllEnabled: !empty(subnetId)
          }
    )
    functionAppConfig: isFlex
      ? {
          deployment: {
            storage: {
              type: 'blobContainer'
              value: packageContainerUri
              authentication: {
                type: 'UserAssignedIdentity'
                userAssignedIdentityResourceId: packageIdentityId
              }
            }
          }
          runtime: { name: 'custom', version: '1.0' }
          scaleAndConcurrency: {
            instanceMemoryMB: instanceMemoryMB
            maximumInstanceCount: maximumInstanceCount
            alwaysReady: alwaysReady
          }
          // The types of Bicep do not have this one; Microsoft documents it for 2024-11-01 and later ("Site update strategies in
          // Flex Consumption").
          ...any({ siteUpdateStrategy: { type: siteUpdateStrategy } })
        }
      : null
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(settings, eventHubSettings, isFlex ? {} : premiumSettings)
  }

  // Deployments come with a token; there is no publishing password.
  resource scmPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource ftpPassword 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }
}

@description('ARM id.')
output id string = app.id

@description('Host name.')
output hostName string = app.properties.defaultHostName
