// Which resource events are of interest, whichever way they come.

@export()
@description('Types of the events. A CA is rotated by an action, not by a write.')
var resourceEventTypes = [
  'Microsoft.Resources.ResourceWriteSuccess'
  'Microsoft.Resources.ResourceActionSuccess'
]

@export()
@description('Operations that they are about, compared in any case. `synchronize` is left out: that is what we do ourselves.')
var resourceOperations = [
  'Microsoft.DeviceRegistry/namespaces/write'
  'Microsoft.DeviceRegistry/namespaces/credentials/write'
  'Microsoft.DeviceRegistry/namespaces/credentials/policies/write'
  'Microsoft.DeviceRegistry/namespaces/credentials/policies/revokeIssuer/action'
  'Microsoft.DeviceRegistry/namespaces/credentials/policies/activateBringYourOwnRoot/action'
  'Microsoft.DeviceRegistry/namespaces/certificateAuthorities/write'
  'Microsoft.DeviceRegistry/namespaces/certificateAuthorities/activate/action'
  'Microsoft.DeviceRegistry/namespaces/certificateAuthorities/revokeAndRotate/action'
  'Microsoft.DeviceRegistry/namespaces/certificateAuthorities/certificatePolicies/write'
  'Microsoft.Devices/IotHubs/write'
]

@export()
@description('End of the type of the events that creators of enrollment groups publish.')
var createdEventType = '.EnrollmentGroup.Created'
