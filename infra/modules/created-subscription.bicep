// Second stage: `Created` events of the custom topic go to the function, which has to be deployed by then.

import { createdEventType } from 'event-filters.bicep'

@description('Name of the topic.')
param topicName string

@description('Name of the subscription.')
@minLength(3)
@maxLength(64)
param name string

@description('ARM id of the function.')
param functionId string

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName

  resource subscription 'eventSubscriptions' = {
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
        advancedFilters: [
          {
            operatorType: 'StringEndsWith'
            key: 'type'
            values: [createdEventType]
          }
        ]
      }
      // An event may get lost after a day: the timer has found its resource long before. So there are no dead letters.
      retryPolicy: { eventTimeToLiveInMinutes: 1440, maxDeliveryAttempts: 30 }
    }
  }
}
