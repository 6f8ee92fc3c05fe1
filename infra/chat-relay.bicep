// Hands alerts to a chat. An action group posts the common alert schema, which neither Teams nor Slack takes: this Logic App makes
// a message of it. docs/alerts.md says how to use it. No part of main.bicep: alerts by mail need none of it.

@description('Region.')
param location string = resourceGroup().location

@description('Name of the Logic App.')
@minLength(1)
@maxLength(80)
param name string = 'logic-policysync-${chat}'

@description('Tags.')
param tags object = {}

@description('The chat, which decides the form of the message: an Adaptive Card or a text.')
@allowed(['teams', 'slack'])
param chat string

@secure()
@description('Address of the webhook of a channel. Secure: it is all that a message to the channel takes.')
param channel string

// Expressions of the workflow, which it fills in for each alert. In a log alert the dimensions name the finding.
var essentials = 'triggerBody()?[\'data\']?[\'essentials\']'
var title = '@{${essentials}?[\'monitorCondition\']} @{${essentials}?[\'severity\']}: @{${essentials}?[\'alertRule\']}'
var details = '@{${essentials}?[\'description\']}\n\n@{join(body(\'dimensions\'), decodeUriComponent(\'%0A%0A\'))}'

var card = {
  type: 'message'
  attachments: [
    {
      contentType: 'application/vnd.microsoft.card.adaptive'
      content: {
        '$schema': 'http://adaptivecards.io/schemas/adaptive-card.json'
        type: 'AdaptiveCard'
        version: '1.4'
        body: [
          { type: 'TextBlock', text: title, weight: 'Bolder', wrap: true }
          { type: 'TextBlock', text: details, wrap: true }
        ]
      }
    }
  ]
}

resource relay 'Microsoft.Logic/workflows@2019-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    definition: {
      '$schema': 'https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#'
      contentVersion: '1.0.0.0'
      parameters: { channel: { type: 'SecureString' } }
      triggers: { alert: { type: 'Request', kind: 'Http' } }
      actions: {
        dimensions: {
          type: 'Select'
          inputs: {
            from: '@coalesce(triggerBody()?[\'data\']?[\'alertContext\']?[\'condition\']?[\'allOf\']?[0]?[\'dimensions\'], json(\'[]\'))'
            select: '@concat(item()?[\'name\'], \': \', item()?[\'value\'])'
          }
        }
        post: {
          type: 'Http'
          runAfter: { dimensions: ['Succeeded'] }
          inputs: {
            method: 'POST'
            uri: '@parameters(\'channel\')'
            headers: { 'Content-Type': 'application/json' }
            body: chat == 'teams' ? card : { text: '*${title}*\n${details}' }
          }
          // The address of the channel is not kept in the history of runs.
          runtimeConfiguration: { secureData: { properties: ['inputs'] } }
        }
      }
    }
    parameters: { channel: { value: channel } }
  }
}

@description('ARM id.')
output id string = relay.id
