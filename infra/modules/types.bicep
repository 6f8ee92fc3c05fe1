// The shapes that parameters have. Every module imports them from here.

@export()
@description('An existing Device Provisioning Service.')
type provisioningServiceType = {
  @description('Its ARM id.')
  @minLength(60)
  id: string

  @description('Its region. Diagnostic records reach an event hub of the same region only, so each region gets one.')
  @minLength(3)
  location: string
}

@export()
@description('The app registration that people and pipelines sign in with to call the HTTP functions.')
type signInType = {
  @description('Application (client) id of the app registration. Its federated credential trusts our identity, so it has no secret.')
  @minLength(36)
  @maxLength(36)
  clientId: string

  @description('What a token may be meant for, e.g. `api://CLIENT-ID`.')
  audiences: string[]

  @description('Client ids of the applications that may call, besides the app registration itself.')
  callers: string[]
}

@export()
@description('Where the app runs. `flex`: Flex Consumption, pays per use. `premium`: Elastic Premium, always one warm instance.')
type planType = 'flex' | 'premium'

@export()
@description('A generation of the service: `credentials` with an explicit sync, or `certificate-authorities` that the service pushes itself.')
type generationType = 'credentials' | 'certificate-authorities'

@export()
@description('Instances of Flex Consumption that are kept warm, and paid, for a group of functions.')
type alwaysReadyType = {
  @description('`http` for all HTTP functions, or `function:NAME` for one of the others.')
  @minLength(4)
  name: string

  @description('How many.')
  @minValue(0)
  @maxValue(20)
  instanceCount: int
}

@export()
@description('How Flex Consumption replaces instances at a deployment. `Recreate`: all at once, what runs is ended. `RollingUpdate` (preview): in batches, what runs may finish.')
type siteUpdateStrategyType = 'Recreate' | 'RollingUpdate'

@export()
@description('Where the parts of a private network are.')
type networkType = {
  @description('Subnet of the private endpoints.')
  endpointSubnetId: string

  @description('Private DNS zone of blob storage.')
  blobZoneId: string

  @description('Private DNS zone of Service Bus and Event Hubs.')
  serviceBusZoneId: string

  @description('Private DNS zone of Event Grid topics.')
  eventGridZoneId: string

  @description('Private DNS zone of the function app.')
  sitesZoneId: string
}
