// Names that the code and the function folders have too; the checks of the templates compare them.

@export()
var names = {
  // Container of the records.
  recordContainer: 'policysync'
  // Container of the package.
  packageContainer: 'packages'
  // Container of the configuration, where it is a blob, and the name of the blob.
  configurationContainer: 'configuration'
  configurationBlob: 'policysync.toml'
  // Queue of sync requests and scheduled follow-ups.
  requestQueue: 'sync-requests'
  // Queue of messages that could not be understood.
  parkedQueue: 'sync-requests-parked'
  // Event hub of the diagnostic records, the same in every region.
  diagnosticEventHub: 'dps-operations'
  // Event hub of the events of a private app, in the first region only.
  streamedEventHub: 'resource-events'
  // The function that takes events.
  eventFunction: 'handle-resource-event'
}

@export()
@description('Name of the storage account of the package, which is not the one of the records.')
func packageAccountName(token string) string => 'stpkg${token}'

@export()
@description('Name of the storage account of the configuration, where it is a blob.')
func configurationAccountName(token string) string => 'stcfg${token}'

@export()
@description('Name of the event hub namespace of a region.')
func diagnosticNamespaceName(token string, region string) string => 'evhns-${token}-${region}'
