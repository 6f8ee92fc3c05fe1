// Resource events of one subscription, for a private app: only a topic of its own has an identity that may write to an event
// hub behind network rules. Azure allows one such topic per subscription; where there is one already, this one is refused.

@description('Name of the topic.')
@minLength(3)
@maxLength(50)
param name string

@description('Tags.')
param tags object

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: 'global'
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: subscription().id
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}

@description('Principal id of the topic\'s identity.')
output topicPrincipalId string = topic.identity.principalId
