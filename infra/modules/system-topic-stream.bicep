// Writes and actions on policies and hubs, from the topic of a subscription into the event hub that a private app reads.

import { resourceEventTypes, resourceOperations } from 'event-filters.bicep'

@description('Name of the topic, whose identity may send.')
param topicName string

@description('Name of the subscription.')
@minLength(3)
@maxLength(64)
param name string

@description('ARM id of the event hub.')
param eventHubId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName

  resource events 'eventSubscriptions' = {
    name: name
    properties: {
      eventDeliverySchema: 'CloudEventSchemaV1_0'
      deliveryWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        destination: {
          endpointType: 'EventHub'
          properties: { resourceId: eventHubId }
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
}
