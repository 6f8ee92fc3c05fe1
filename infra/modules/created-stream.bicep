// Second stage of a private app: `Created` events of the custom topic go to an event hub, since push cannot reach the app.

import { createdEventType } from 'event-filters.bicep'

@description('Name of the topic, which has an identity that may send.')
param topicName string

@description('Name of the subscription.')
@minLength(3)
@maxLength(64)
param name string

@description('ARM id of the event hub.')
param eventHubId string

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: topicName

  resource subscription 'eventSubscriptions' = {
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
