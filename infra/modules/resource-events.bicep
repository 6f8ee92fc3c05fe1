// Second stage: writes and actions on policies and hubs, in one subscription, go to the function.
//
// On the subscription itself and not by a system topic: Azure allows one of those per source, and somebody may have it.

targetScope = 'subscription'

@description('Name of the event subscription.')
@minLength(3)
@maxLength(64)
param name string

@description('ARM id of the function.')
param functionId string

resource events 'Microsoft.EventGrid/eventSubscriptions@2025-02-15' = {
  name: name
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: functionId
        maxEventsPerBatch: 1
      }
    }
    filter: {
      // A CA is rotated by an action, not by a write.
      includedEventTypes: [
        'Microsoft.Resources.ResourceWriteSuccess'
        'Microsoft.Resources.ResourceActionSuccess'
      ]
      advancedFilters: [
        {
          // Compared in any case. `synchronize` is left out: that is what we do ourselves.
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: [
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
        }
      ]
    }
    // What is lost after a day, the timer found long before. So nothing is dead-lettered.
    retryPolicy: { eventTimeToLiveInMinutes: 1440, maxDeliveryAttempts: 30 }
  }
}
