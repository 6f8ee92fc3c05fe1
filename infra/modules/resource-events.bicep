// Second stage: writes and actions on policies and hubs, in one subscription, go to the function.
//
// On the subscription itself and not by a system topic: Azure allows one of those per source, and another program may have it.

targetScope = 'subscription'

import { resourceEventTypes, resourceOperations } from 'event-filters.bicep'

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
      includedEventTypes: resourceEventTypes
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: resourceOperations
        }
      ]
    }
    // An event may get lost after a day: the timer has found its resource long before. So there are no dead letters.
    retryPolicy: { eventTimeToLiveInMinutes: 1440, maxDeliveryAttempts: 30 }
  }
}
